// The types of hawser, ESM form. The classes are those of `index.d.ts`, as they are at run time, so a value that came
// through `require` and one that came through `import` have one type.

/// <reference types="node" />

import WebSocket = require('./index.js');

export default WebSocket;
export { WebSocket };

/** Same class as {@link WebSocketServer}. */
export import Server = WebSocket.Server;
export const WebSocketServer: typeof WebSocket.Server;
export interface WebSocketServer extends WebSocket.Server {}

export import createWebSocketStream = WebSocket.createWebSocketStream;
export import extension = WebSocket.extension;
export import PerMessageDeflate = WebSocket.PerMessageDeflate;
export import Receiver = WebSocket.Receiver;
export import Sender = WebSocket.Sender;
export import subprotocol = WebSocket.subprotocol;

export import AddressInfo = WebSocket.AddressInfo;
export import BroadcastOptions = WebSocket.BroadcastOptions;
export import CertMeta = WebSocket.CertMeta;
export import ClientOptions = WebSocket.ClientOptions;
export import CloseEvent = WebSocket.CloseEvent;
export import CloseResult = WebSocket.CloseResult;
export import Data = WebSocket.Data;
export import ErrorEvent = WebSocket.ErrorEvent;
export import Event = WebSocket.Event;
export import EventListenerOptions = WebSocket.EventListenerOptions;
export import Events = WebSocket.Events;
export import ExtensionOffers = WebSocket.ExtensionOffers;
export import ExtensionParameters = WebSocket.ExtensionParameters;
export import ExtensionValues = WebSocket.ExtensionValues;
export import FinishRequestCallback = WebSocket.FinishRequestCallback;
export import FrameOptions = WebSocket.FrameOptions;
export import HeartbeatOptions = WebSocket.HeartbeatOptions;
export import Message = WebSocket.Message;
export import MessageEvent = WebSocket.MessageEvent;
export import PerMessageDeflateOptions = WebSocket.PerMessageDeflateOptions;
export import RawData = WebSocket.RawData;
export import SendOptions = WebSocket.SendOptions;
export import ServerCloseOptions = WebSocket.ServerCloseOptions;
export import ServerEvents = WebSocket.ServerEvents;
export import ServerOptions = WebSocket.ServerOptions;
export import VerifyClientCallbackAsync = WebSocket.VerifyClientCallbackAsync;
export import VerifyClientCallbackSync = WebSocket.VerifyClientCallbackSync;
export import WebSocketEventMap = WebSocket.WebSocketEventMap;
