// Package document moves between the live configuration and point.Document, the one form in
// which configurations are saved, exported, imported, compared and gone back to: Live writes
// one, Read reads one, Make finds out what would have to change for it to be live and what is
// wrong with it, and Activate does so, whole or not at all.
//
// A document holds names of secrets, never secrets. A provider that becomes live again gets the
// secrets that the store kept for it; one whose secret is gone becomes live as inactive.
package document
