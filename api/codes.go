package api

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// Code says what is wrong, for programs. A code keeps its meaning; new ones come to be.
type Code string

// The codes of /api. What the gateway says of a test has those of /v1 (point.Codes).
const (
	codeMalformed       Code = "malformed"
	codeTwoCredentials  Code = "two_credentials"
	codeUnauthenticated Code = "unauthenticated"
	codeWrongPassword   Code = "wrong_password"
	codeForbidden       Code = "forbidden"
	codePermission      Code = "permission_missing"
	codeSession         Code = "session_needed"
	codeOrigin          Code = "foreign_origin"
	codeSetupLink       Code = "setup_link_invalid"
	codeInvitation      Code = "invitation_invalid"
	codeOwnAccount      Code = "own_account"
	codeAbove           Code = "above_you"
	codeNotFound        Code = "not_found"
	codeNoOpenID        Code = "openid_off"
	codeNotKept         Code = "not_kept"
	codeMethod          Code = "method_not_allowed"
	codeConflict        Code = "conflict"
	codeTaken           Code = "taken"
	codeInUse           Code = "in_use"
	codeLocked          Code = "declared_elsewhere"
	codeLastOwner       Code = "last_owner"
	codeFull            Code = "too_many"
	codeInProgress      Code = "in_progress"
	codeSetUpAlready    Code = "set_up_already"
	codeRotating        Code = "rotation_running"
	codeBuiltIn         Code = "built_in"
	codeDisabled        Code = "user_disabled"
	codeUnknownKind     Code = "unknown_kind"
	codeStale           Code = "stale"
	codeTooSlow         Code = "too_slow"
	codeTooLarge        Code = "too_large"
	codeMediaType       Code = "unsupported_media_type"
	codeHost            Code = "unknown_host"
	codeInvalid         Code = "invalid"
	codeKeyReused       Code = "idempotency_key_reused"
	codeRate            Code = "too_many_requests"
	codeTries           Code = "too_many_tries"
	codeGone            Code = "client_gone"
	codeInternal        Code = "internal"
	codeUnavailable     Code = "unavailable"
	codeDatabase        Code = "database_unavailable"
	codeNotConnected    Code = "not_connected"
	codeBusy            Code = "busy"
)

// codeTable says the status and the meaning of each code. The first of a status is the code of an
// answer that says nothing more.
var codeTable = []struct {
	code    Code
	status  int
	meaning string
}{
	{codeMalformed, http.StatusBadRequest, "The body or the URL cannot be read."},
	{codeTwoCredentials, http.StatusBadRequest, "The request carries two different credentials."},
	{codeUnauthenticated, http.StatusUnauthorized, "The request carries no credential, or one that is not valid or no longer."},
	{codeWrongPassword, http.StatusUnauthorized, "The email address or the password is wrong."},
	{codeForbidden, http.StatusForbidden, "This may not be done."},
	{codePermission, http.StatusForbidden, "The role or the token lacks the permission of the route."},
	{codeSession, http.StatusForbidden, "Personal access tokens may not do it: sign in."},
	{codeOrigin, http.StatusForbidden, "A page of another origin may not write."},
	{codeSetupLink, http.StatusForbidden, "The set-up link is not valid, or no longer."},
	{codeInvitation, http.StatusForbidden, "The invitation is not valid, or no longer."},
	{codeOwnAccount, http.StatusForbidden, "Nobody does this to their own account or role."},
	{codeAbove, http.StatusForbidden, "The user or role may more than you."},
	{codeNotFound, http.StatusNotFound, "There is no such thing, or none that you may see."},
	{codeNoOpenID, http.StatusNotFound, "No OpenID provider is set up."},
	{codeNotKept, http.StatusNotFound, "What the request said is not kept."},
	{codeMethod, http.StatusMethodNotAllowed, "The path does not take the method."},
	{codeTooSlow, http.StatusRequestTimeout, "The body arrived too slowly. Send it again."},
	{codeConflict, http.StatusConflict, "The state of the thing does not allow it."},
	{codeTaken, http.StatusConflict, "Another thing has this name."},
	{codeInUse, http.StatusConflict, "Something refers to it; used_by lists what."},
	{codeLocked, http.StatusConflict, "It is declared in the configuration file or the environment; change it there."},
	{codeLastOwner, http.StatusConflict, "It is the last owner who can sign in."},
	{codeFull, http.StatusConflict, "The user has as many of these as they may have."},
	{codeInProgress, http.StatusConflict, "The first request with this Idempotency-Key is not answered yet, or was cut off."},
	{codeSetUpAlready, http.StatusConflict, "Point has its first user already."},
	{codeRotating, http.StatusConflict, "The encryption keys are being rotated already."},
	{codeBuiltIn, http.StatusConflict, "It is built in."},
	{codeDisabled, http.StatusConflict, "The user is disabled."},
	{codeUnknownKind, http.StatusConflict, "This version of Point does not know the kind of provider."},
	{codeStale, http.StatusPreconditionFailed, "Somebody else changed it meanwhile. Read it again."},
	{codeTooLarge, http.StatusRequestEntityTooLarge, "The body is larger than it may be here."},
	{codeMediaType, http.StatusUnsupportedMediaType, "The body is not sent as plain JSON."},
	{codeHost, http.StatusMisdirectedRequest, "Point does not answer under this host name."},
	{codeInvalid, http.StatusUnprocessableEntity, "Something is not valid; errors lists what and where."},
	{codeKeyReused, http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request."},
	{codeRate, http.StatusTooManyRequests, "Too many requests at once. Retry-After says how long to wait."},
	{codeTries, http.StatusTooManyRequests, "Too many tries failed. Retry-After says how long to wait."},
	{codeGone, statusClientGone, "The client left."},
	{codeInternal, http.StatusInternalServerError, "Point failed. Its log has the details."},
	{codeUnavailable, http.StatusServiceUnavailable, "It cannot be done at this moment. Try again after Retry-After."},
	{codeDatabase, http.StatusServiceUnavailable, "The database does not answer. Try again after Retry-After."},
	{codeNotConnected, http.StatusServiceUnavailable, "This process has no way to reach the part that does it."},
	{codeBusy, http.StatusServiceUnavailable, "Many people are signing in. Try again after Retry-After."},
}

// codeOfStatus is the code of an answer that says no more than its status.
func codeOfStatus(status int) Code {
	for _, row := range codeTable {
		if row.status == status {
			return row.code
		}
	}
	return codeInternal
}

// describe is the status and the meaning of a code, of /api or of /v1.
func (c Code) describe() (status int, meaning string) {
	for _, row := range codeTable {
		if row.code == c {
			return row.status, row.meaning
		}
	}
	return gatewayStatus(point.Code(c)), "What the gateway says, as on /v1."
}

// gatewayStatus is the status here of what the gateway says. What a provider said is a bad gateway:
// its 401 is not the caller's.
func gatewayStatus(c point.Code) int {
	status := c.Status()
	if status == http.StatusUnauthorized || status < http.StatusBadRequest {
		return http.StatusBadGateway
	}
	return status
}

// gatewayCodes are what the gateway may say of a test.
func gatewayCodes() (list []Code) {
	for _, codes := range asking {
		for _, c := range codes {
			list = append(list, Code(c))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Schema lists every code, so that generated clients know them.
func (Code) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Examples: []any{string(codeInvalid)}}
	for _, row := range codeTable {
		s.Enum = append(s.Enum, string(row.code))
	}
	for _, code := range gatewayCodes() {
		if !slices.Contains(s.Enum, any(string(code))) {
			s.Enum = append(s.Enum, string(code))
		}
	}
	return s
}
