// `hawser/mcp` for browsers.
export {};
