// The signatures of a peer, as far as contracts shape them.
import type {
  CallArguments,
  CallResult,
  Contract,
  Handler,
  Handlers,
  MethodName,
  NotifyArguments,
  SchemaContract,
} from 'hawser/rpc';

interface Context {
  signal: AbortSignal;
}

export declare class RpcPeer<Remote extends Contract = any, Local extends Contract = any> {
  constructor(
    connection: unknown,
    options?: {
      remote?: Remote & SchemaContract;
      local?: Local & SchemaContract;
      handlers?: Handlers<Local, Context>;
    },
  );
  call<M extends MethodName<Remote>>(
    method: M,
    ...args: CallArguments<Remote, M, { timeoutMs?: number }>
  ): Promise<CallResult<Remote, M>>;
  notify<M extends MethodName<Remote>>(method: M, ...args: NotifyArguments<Remote, M>): Promise<void>;
  handle<M extends MethodName<Local>>(method: M, handler: Handler<Local, M, Context>): this;
}
