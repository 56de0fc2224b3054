package openidtest

import (
	"cmp"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// loginPath is where the provider sends a browser that is to sign in.
const loginPath = "/login/username"

// login is the page on which a person in a browser picks an account, or gives up.
type login struct {
	provider *Provider
	op       op.Authorizer
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>The provider</title>
<h1>Who are you?</h1>
<form method="post">{{range .}}
<p><button name="account" value="{{.Subject}}">{{.Email}}</button></p>{{end}}
<p><button name="account" value="">Cancel</button></p>
</form></html>
`))

func (l *login) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		byEmail := func(a, b *Account) int { return cmp.Compare(a.Email, b.Email) }
		_ = loginPage.Execute(w, slices.SortedFunc(maps.Values(l.provider.accounts), byEmail)) // to a browser that may be gone
		return
	}
	id, account := r.FormValue("authRequestID"), r.PostFormValue("account")
	if account == "" {
		l.cancel(w, r, id)
		return
	}
	if err := l.provider.CheckUsernamePassword(account, password, id); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/authorize/callback?id="+url.QueryEscape(id), http.StatusSeeOther)
}

// cancel sends the browser back without anybody.
func (l *login) cancel(w http.ResponseWriter, r *http.Request, id string) {
	request, err := l.provider.AuthRequestByID(r.Context(), id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	op.AuthRequestError(w, r, request, oidc.ErrAccessDenied(), l.op)
}
