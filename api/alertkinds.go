package api

// Kinds of alerts that the API raises.
const (
	AlertRefreshReuse = "refresh_token_reuse"
	AlertGuessing     = "guessing"
	AlertDenials      = "permission_denials" // of one user, many within a minute
	AlertExport       = "secrets_exported"
	AlertRotation     = "secrets_rotation" // values that do not open
)
