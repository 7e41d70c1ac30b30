// Status codes of the closing handshake: their names, meanings, and which may travel in a Close frame
// (RFC 6455 §7.4; 1012-1014 come from the IANA registry that §11.7 opens).

export const NORMAL_CLOSURE = 1000;
export const GOING_AWAY = 1001;
export const PROTOCOL_ERROR = 1002;
export const NO_STATUS_RECEIVED = 1005;
export const ABNORMAL_CLOSURE = 1006;
export const INVALID_FRAME_PAYLOAD_DATA = 1007;
export const POLICY_VIOLATION = 1008;
export const MESSAGE_TOO_BIG = 1009;
export const MANDATORY_EXTENSION = 1010;
export const INTERNAL_ERROR = 1011;
export const TLS_HANDSHAKE = 1015;

export interface CloseCodeMeaning {
  name: string;
  meaning: string;
  section: string;
}

const REGISTERED: Record<number, CloseCodeMeaning> = {
  1000: entry('Normal Closure', 'the purpose of the connection has been fulfilled'),
  1001: entry('Going Away', 'a server is shutting down or a page was left'),
  1002: entry('Protocol Error', 'the peer broke a rule of the protocol'),
  1003: entry('Unsupported Data', 'a type of data was received that this endpoint cannot accept'),
  1004: entry('Reserved', 'no meaning is defined; it must not be sent'),
  1005: entry('No Status Received', 'a Close frame came without a code; never sent on the wire'),
  1006: entry('Abnormal Closure', 'the connection ended without a Close frame; never sent on the wire'),
  1007: entry(
    'Invalid Frame Payload Data',
    'data was not consistent with its type, such as text that is not UTF-8',
  ),
  1008: entry('Policy Violation', 'a message broke a policy of the endpoint'),
  1009: entry('Message Too Big', 'a message is larger than the endpoint will process'),
  1010: entry('Mandatory Extension', 'the client required an extension that the server did not negotiate'),
  1011: entry('Internal Error', 'the server met a condition that it did not expect'),
  1012: entry('Service Restart', 'the service is restarting', '§11.7 (IANA)'),
  1013: entry('Try Again Later', 'the service is overloaded', '§11.7 (IANA)'),
  1014: entry('Bad Gateway', 'a gateway got an invalid response from upstream', '§11.7 (IANA)'),
  1015: entry('TLS Handshake', 'the TLS handshake failed; never sent on the wire'),
};

function entry(name: string, meaning: string, section = '§7.4.1'): CloseCodeMeaning {
  return { name, meaning, section };
}

/**
 * True when `code` may stand in a Close frame. 1004 is undefined; 1005, 1006 and 1015 are for local use only
 * (§7.4.1); 0-999 are unused and 1016-2999 unassigned (§7.4.2); 3000-4999 belong to libraries and applications.
 */
export function isSendableCloseCode(code: number): boolean {
  // [RFC6455-7.4.1-3] [RFC6455-7.4.1-4] [RFC6455-7.4.1-7] 1005, 1006 and 1015 never stand in a Close frame.
  return (
    // [RFC6455-7.4.1-1] [RFC6455-7.4.1-2] the predefined ones may
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    // [RFC6455-7.4.2-1] the ranges for the protocol and for applications
    (code >= 3000 && code <= 4999)
  );
}

/** What a status code means, for people. */
export function describeCloseCode(code: number): CloseCodeMeaning {
  const known = REGISTERED[code];
  if (known !== undefined) return known;
  if (code >= 4000 && code <= 4999) return entry('Private Use', 'agreed between the applications', '§7.4.2');
  if (code >= 3000 && code <= 3999) return entry('Registered Use', 'for libraries and frameworks', '§7.4.2');
  if (code >= 1016 && code <= 2999) return entry('Unassigned', 'reserved for the protocol', '§7.4.2');
  return entry('Invalid', 'outside the ranges that the RFC defines', '§7.4.2');
}
