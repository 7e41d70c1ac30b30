// `hawser/mcp` for Node.
export {};
