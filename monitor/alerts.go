package monitor

// Kinds of alerts.
const (
	AlertJournalBehind   = "journal_behind"
	AlertJournalDropping = "journal_dropping"
	AlertJournalFull     = "journal_full"
	AlertJournalDamaged  = "journal_damaged"
)
