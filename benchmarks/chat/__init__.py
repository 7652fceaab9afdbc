"""How fast live chat is, beside what else could carry it: `python -m benchmarks.chat [--figures …] [--servers …]`.

Contestants, one after the other on the same PostgreSQL (fsync on) and the same Valkey, with the same load client:

* IRISX as it is served, under each ASGI server that is installed;
* socket.io with its Redis adapter (node, from npm), two processes' worth of plumbing in one process as ours;
* a bare websocket server (node `ws`) that keeps its rooms in memory: the floor.

The peers store each message (one statement: the conversation's number and the row, committed) before they deliver it. IRISX
stores more: the event, the message, the webhook's outbox row, the usage record and its delta, in one transaction.
"""
