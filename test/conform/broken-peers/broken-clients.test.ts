import { testBrokenPeers } from './broken-peer.js';

testBrokenPeers('client');
