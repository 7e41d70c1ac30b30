// Two ends of a connection in memory, for servers that are handed any Duplex instead of a socket.
import { Duplex } from 'node:stream';

export function duplexPair(): [Duplex, Duplex] {
  const ends: [Duplex, Duplex] = [end(() => ends[1]), end(() => ends[0])];
  return ends;
}

function end(other: () => Duplex): Duplex {
  return new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      other().push(bytes);
      done();
    },
    final(done) {
      other().push(null);
      done();
    },
  });
}
