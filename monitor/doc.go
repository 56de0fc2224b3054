// Package monitor sees what Point does and tells those who ask: the request journal,
// metrics, the log, alerts, health and the live stream of requests.
//
// # Journal
//
// Every request ends in one [Journal.Append] before its last byte is sent. Append encodes
// the record outside any lock and copies it into a memory-mapped segment file, without a
// system call: the record is in the page cache and survives the death of the process.
// [Journal.Run] reads the segments behind the requests, hands batches to the database and
// deletes what is stored. A database that is down only makes the journal grow, up to
// JournalOptions.MaxBytes.
//
// A segment is a preallocated file: a header, then frames of length, CRC-32C and payload.
// A file is written by one process only; after a crash the next process reads what is left
// of it, up to the torn frame if there is one, and starts a file of its own. Records may
// reach the database twice after a crash, so the sink stores each id once.
//
// # The rest
//
// [Monitor] joins metrics, alerts, health and the hub. Nothing that is called on a request's
// way blocks: queues are bounded, what does not fit is counted, and the counts are metrics
// and alerts themselves.
package monitor
