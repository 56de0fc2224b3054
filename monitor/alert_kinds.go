package monitor

import "point"

// Severities, as package point has them.
const (
	SeverityInfo     = point.SeverityInfo
	SeverityWarning  = point.SeverityWarning
	SeverityCritical = point.SeverityCritical
)

// Kinds that this package raises itself.
const (
	AlertJournalBehind   = "journal_behind"
	AlertJournalDropping = "journal_dropping"
	AlertJournalFull     = "journal_full"
	AlertJournalDamaged  = "journal_damaged"
	AlertLogDrops        = "log_drops"
)

// AlertKind describes one kind of alert.
type AlertKind struct {
	Kind     string
	Severity string
	Message  string // what it means and what to do next
}

// alertKinds are all kinds that any part of Point raises.
var alertKinds = []AlertKind{
	{AlertJournalBehind, SeverityCritical, "The database does not take request records; they wait on disk. Check that the database runs and has room: they are stored as soon as it answers."},
	{AlertJournalDropping, SeverityCritical, "The journal is full and records of requests are lost. Bring the database back, or give the journal more room."},
	{AlertJournalFull, SeverityCritical, "The journal is full and requests are refused. Bring the database back or free disk space; it goes on without a restart."},
	{AlertJournalDamaged, SeverityWarning, "Records could not be read back or were refused by the database. Look at the journal folder: what could be saved is in rejected.jsonl."},
	{AlertLogDrops, SeverityWarning, "Log entries did not reach the database; the terminal has them all. Check the database, or raise the log level."},
	{"unpriced_model", SeverityWarning, "A model has no known price, or its provider did not tell what it is reckoned by, so its cost is unknown and budgets do not see it. Update Point, or give the model a price; where a price is known, ask for an answer that tells usage: of a transcript verbose_json if it is paid by the minute, json if by tokens."},
	{"provider_key_suspended", SeverityCritical, "A provider refuses a key, so it is not used for now. Put a valid key into the provider; it is tried again by itself."},
	{"config_file_invalid", SeverityWarning, "The configuration file was changed to what cannot be taken, so what was live stays. Mend what the detail lists; Point takes the file within seconds, and refuses to start with it as it is."},
	{"guessing", SeverityWarning, "Somebody tries passwords, keys or tokens; further tries are slowed down. See where they come from and block it if it is not yours."},
	{"refresh_token_reuse", SeverityCritical, "A used-up sign-in token came back, so the session was ended. If it was not a restored browser, the token was stolen: change the password."},
	{"permission_denials", SeverityWarning, "A user asked many times for what they may not do. Look into the audit trail what was tried; if it was not that user, end the sessions and tokens."},
	{"secrets_exported", SeverityWarning, "Somebody exported the configuration with its secrets. If that was not meant, change the keys of the providers."},
	{"secrets_rotation", SeverityCritical, "A rotation of the encryption keys met values that cannot be read, and the old key stays. Set those values again, then rotate once more."},
}

// AlertKinds lists all kinds, for documentation and its test.
func AlertKinds() []AlertKind { return append([]AlertKind(nil), alertKinds...) }

// KindOf finds a kind by name. One that is not listed is a warning that says where to look.
func KindOf(name string) AlertKind {
	for _, k := range alertKinds {
		if k.Kind == name {
			return k
		}
	}
	return AlertKind{name, SeverityWarning, "Something needs attention: its detail and the log say what."}
}
