// Inflating and deflating with nothing but the public functions of `node:zlib` that take a whole message, for runtimes
// on which `zlib-stream.ts` cannot work. What a message may refer to (RFC 7692 §7.2) is handed to zlib as a dictionary.
// The results are the same; each message pays for a new stream.

import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { Deflater, DirectionAgreement, Inflater } from '../protocol/compression.js';
import { protocolError } from '../wire/errors.js';
import { runJob } from './zlib-jobs.js';
import { type ZlibError, zlibError } from './zlib-stream.js';
