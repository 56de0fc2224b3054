// Package store is the Configuration Store: the one place where Point's state is kept, on
// SQLite (two files: config.db and history.db) or on PostgreSQL (one database).
//
// Configuration and history are apart because they are used apart. Configuration is small,
// precious and read from memory: every committed write raises one version counter, writes
// down what it changed, and publishes a new immutable point.Snapshot before it returns.
// Other processes follow the counter (LISTEN/NOTIFY on PostgreSQL, a poll on both) and
// reload only what changed. History is large and only grows at its end: records come in
// batches from the journal, each row once however often it is sent, and feed rollups in the
// same transaction, so that statistics never scan the requests.
//
// SQL is constant strings with $n placeholders that both engines take unchanged; filters are
// put together from constant fragments. Times are UTC with microseconds, money is nano-USD.
package store
