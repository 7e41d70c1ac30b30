// What must not compile, of sessions.
import { connectSession, SessionServer } from 'hawser/agent';

// @ts-expect-error an address, or a function that gives one
connectSession(5);
// @ts-expect-error units last: connectTimeoutMs
connectSession('ws://127.0.0.1', { connectTimeout: 5 });
// @ts-expect-error not a policy
connectSession('ws://127.0.0.1', { queue: { policy: 'drop' } });
// @ts-expect-error not a class of WebSockets
connectSession('ws://127.0.0.1', { WebSocket: Map });
// @ts-expect-error an http.Server, or the like
new SessionServer({ server: 'http://127.0.0.1' });
// @ts-expect-error the principal is a name
new SessionServer({ noServer: true, authenticate: () => ({ user: 'me' }) });

const session = connectSession('ws://127.0.0.1');
// @ts-expect-error has no bytes
session.send({ text: 'hello' });
// @ts-expect-error only the session changes its state
session.state = 'open';
// @ts-expect-error not an event
session.on('error', () => {});
// @ts-expect-error an outcome, not a boolean
export const wasSent: boolean = await session.send('text');
// @ts-expect-error timeoutMs
await session.close({ timeout: 5 });
