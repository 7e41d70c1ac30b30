// Why a server cannot listen, in one line that says what to do.

/** @param error of `net.Server#listen` with that host and port */
export function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} of ${host} is in use; choose another with --port`;
  if (error.code === 'EACCES')
    return `not allowed to listen on port ${port} of ${host}; choose another with --port`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return `cannot listen on ${host}: it is not an address of this machine`;
  }
  return `cannot listen on ${host} port ${port}: ${error.message}`;
}
