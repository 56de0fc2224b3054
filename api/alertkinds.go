package api

// Kinds of alerts that the API raises.
const (
	AlertRefreshReuse = "refresh_token_reuse"
	AlertGuessing     = "guessing"
)
