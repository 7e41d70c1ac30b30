import { testBrokenPeers } from './broken-peer.js';

testBrokenPeers('server');
