// The test's OpenID provider as a program, for stories in a browser. Its people are Ada, of the
// group staff, and Eve, who is in no group.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"point/internal/openidtest"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9998", "address to listen on")
	issuer := flag.String("issuer", "http://localhost:9998", "URL under which browser and Point reach it")
	redirect := flag.String("redirect", "http://127.0.0.1:8080/api/auth/oidc/callback", "where it sends people back to")
	flag.Parse()
	if err := serve(*listen, *issuer, *redirect); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(listen, issuer, redirect string) error {
	provider, err := openidtest.Make(issuer, redirect,
		&openidtest.Account{Subject: "ada-1", Email: "ada@example.com", Verified: true, Groups: []string{"staff"}},
		&openidtest.Account{Subject: "eve-1", Email: "eve@example.com", Verified: true, Groups: []string{}})
	if err != nil {
		return err
	}
	server := &http.Server{Addr: listen, Handler: provider, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
