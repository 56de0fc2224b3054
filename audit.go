package point

import (
	"encoding/json"
	"slices"
	"time"
)

// AuditEntry is one row of the audit trail: who did what to what, from where, and how it ended.
// It never holds a secret.
type AuditEntry struct {
	Seq        int64 // counts from 1 without a gap
	ID         string
	At         time.Time
	Event      string // an Audit constant, or an entity and what became of it, such as "key.created"
	Actor      Actor  // Reason is not kept here: a change's revision has it
	TargetKind string // such as "provider"
	TargetID   string
	TargetName string
	Result     string          // an Audit result
	Detail     json.RawMessage // object: what else there is to know, such as the names of changed members
	PrevHash   []byte          // SHA-256; of the row before
	Hash       []byte          // SHA-256 over the row and PrevHash
}

// Values of AuditEntry.Result.
const (
	AuditOK     = "ok"
	AuditDenied = "denied"
	AuditFailed = "failed"
)

// Events of the audit trail beside those of entities.
const (
	AuditSignIn         = "signin.ok"
	AuditSignInFailed   = "signin.failed"
	AuditSignInBlocked  = "signin.blocked"
	AuditSignOut        = "signout"
	AuditRefreshReused  = "refresh.reused"
	AuditSessionEnded   = "session.ended"
	AuditPassword       = "password.changed"
	AuditPasswordFailed = "password.failed"
	AuditInvited        = "invitation.made"
	AuditSetUp          = "setup.done"
	AuditSetUpFailed    = "setup.failed"
	AuditKeyRevoked     = "key.revoked"
	AuditKeyRotated     = "key.rotated"
	AuditUserRole       = "user.role_changed"
	AuditDeniedAccess   = "access.denied"
	AuditProviderTest   = "provider.tested"
	AuditEndpointTest   = "endpoint.tested"
	AuditBodies         = "request.bodies_read"
	AuditReplay         = "request.replayed"
	AuditNotifierTest   = "notifier.tested"
	AuditActivate       = "config.activated"
	AuditRollback       = "config.rolled_back"
	AuditDeclare        = "config.declared"
	AuditExport         = "config.exported"
	AuditExportSecrets  = "config.exported_with_secrets"
	AuditSecretsBegun   = "secrets.rotation_begun"
	AuditSecrets        = "secrets.rotated"
	AuditMasterKey      = "secrets.master_key_changed"
	AuditSigningKey     = "signing_key.rotated"
	AuditIdentity       = "identity.linked"
	AuditBackup         = "backup.made"
)

// AuditKind is an event of the audit trail and what it tells.
type AuditKind struct{ Event, Doc string }

// auditEvents are the events beside those of entities.
var auditEvents = []AuditKind{
	{AuditSignIn, "Somebody signed in."},
	{AuditSignInFailed, "A sign-in failed: a wrong password, an unknown or a disabled user."},
	{AuditSignInBlocked, "Too many sign-ins or set-ups failed; further ones are refused for a while."},
	{AuditSignOut, "Somebody signed out."},
	{AuditRefreshReused, "A refresh token that had been replaced came back, and its session was ended."},
	{AuditSessionEnded, "A session was ended by its user or an admin."},
	{AuditPassword, "A user's password was changed."},
	{AuditPasswordFailed, "A user who was signed in gave a wrong password to change it."},
	{AuditInvited, "An invitation was made, with which a user sets a new password."},
	{AuditSetUp, "The first user was made by the set-up link."},
	{AuditSetUpFailed, "A set-up was tried with a token that is not valid."},
	{AuditKeyRevoked, "A client key was made inactive."},
	{AuditKeyRotated, "A client key got a new token."},
	{AuditUserRole, "A user got another role."},
	{AuditDeniedAccess, "A request was refused for want of a permission."},
	{AuditProviderTest, "A provider was tried with a real call."},
	{AuditEndpointTest, "An endpoint was tried with a real call."},
	{AuditBodies, "Somebody read what a request and its answer said."},
	{AuditReplay, "A kept request was sent again."},
	{AuditNotifierTest, "A test was sent through a notifier."},
	{AuditActivate, "A saved configuration was activated."},
	{AuditRollback, "The configuration went back to a revision."},
	{AuditDeclare, "The configuration file or the environment was applied."},
	{AuditExport, "The configuration was exported without secrets."},
	{AuditExportSecrets, "The configuration was exported with its secrets, sealed by a passphrase."},
	{AuditSecretsBegun, "A rotation of the encryption keys began, or went on where one was cut off. No end behind it: it was cut off."},
	{AuditSecrets, "The encryption keys were rotated, or their rotation failed; the old keys stay then."},
	{AuditMasterKey, "The master key was changed."},
	{AuditSigningKey, "The key that signs access tokens was rotated."},
	{AuditIdentity, "A user was linked to an account of the identity provider."},
	{AuditBackup, "A backup of the databases was made."},
}

// auditEntities are the entities whose changes are audited, and what may become of their rows.
var auditEntities = []struct {
	entity  string
	actions []string
}{
	{EntityProvider, allActions}, {EntityEndpoint, []string{ChangeUpdate}}, {EntityAlias, allActions}, {EntityKey, allActions},
	{EntitySetting, []string{ChangeCreate, ChangeUpdate}}, {EntityUser, allActions}, {EntityRole, allActions}, {EntityToken, []string{ChangeCreate, ChangeDelete}},
	{EntityAlertRule, allActions}, {EntityNotifier, allActions}, {EntitySilence, allActions}, {EntityPrice, allActions}, {EntityModel, allActions}, {EntityConfiguration, allActions},
}

var allActions = []string{ChangeCreate, ChangeUpdate, ChangeDelete}

// AuditKinds are all events that the audit trail may hold.
func AuditKinds() []AuditKind {
	kinds := slices.Clone(auditEvents)
	for _, e := range auditEntities {
		for _, action := range e.actions {
			kinds = append(kinds, AuditKind{e.entity + "." + action + "d", "A row of the entity " + e.entity + " was " + action + "d."})
		}
	}
	return kinds
}

// AuditCheckpoint is a signed mark of how far the audit trail had come. The signature is
// Ed25519's over its Message.
type AuditCheckpoint struct {
	Seq       int64     `json:"seq"`
	Hash      []byte    `json:"hash"`
	At        time.Time `json:"at"`
	Signature []byte    `json:"signature"`
}

// AuditReport is what a look at the audit trail found.
type AuditReport struct {
	After       int64  // row behind which the look began, 0: at the first
	Seq         int64  // row that was looked at last
	Complete    bool   // the look came to the end of the trail
	Rows        int64  // that were looked at
	Hash        []byte // of the last row
	Checkpoints int64  // in the database
	Published   int64  // in the file of the data folder
	Findings    []AuditFinding
}

// AuditFinding is one thing that is not as it was written.
type AuditFinding struct {
	Seq  int64
	What string // a sentence
}
