package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sigv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"point"
)

// Authorize puts a Bedrock API key on a request.
func (bedrock) Authorize(header http.Header, credential point.Secret) {
	if !credential.IsZero() {
		header.Set("Authorization", "Bearer "+credential.Reveal())
	}
}

// Sign authorizes a request by the API key, if there is one, or signs it with AWS's access keys:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
func (s bedrock) Sign(r *http.Request, body []byte, with Proof) error {
	if with.Config.APIKeyEnv != "" || len(with.Config.Credentials()) > 0 {
		s.Authorize(r.Header, with.Key)
		return nil
	}
	keys, err := awsKeys(r.URL.Hostname(), with)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	// What a proxy may change is not signed: Host, Content-Type and Content-Length are enough.
	signed := r.Clone(r.Context())
	signed.Header = http.Header{}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		signed.Header.Set("Content-Type", kind)
	}
	if err := sigv4.NewSigner().SignHTTP(r.Context(), keys, signed, hex.EncodeToString(sum[:]), "bedrock", setting(with.Config, "region"), with.Now.UTC()); err != nil {
		return &point.Error{Code: point.ProviderCredentials, Message: "The request cannot be signed with the provider's AWS keys.", Cause: err}
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		r.Header.Del(name)
		if value := signed.Header.Get(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	return nil
}

// Proven wants a pair of keys.
func (s bedrock) Proven(c *point.ProviderConfig, getenv func(string) string) error {
	place, err := url.Parse(s.Place(c))
	if err == nil {
		_, err = awsKeys(place.Hostname(), Proof{Config: c, Getenv: getenv})
	}
	return err
}

// bedrockHost matches the hosts at which Bedrock itself answers, for models and for lists of them: other names below amazonaws.com
// may be anybody's.
//
//	https://docs.aws.amazon.com/general/latest/gr/bedrock.html
var bedrockHost = regexp.MustCompile(`^(vpce-[a-z0-9-]+\.)?bedrock(-runtime)?(-fips)?\.[a-z]{2}(-[a-z]+)+-\d+(\.vpce)?\.amazonaws\.com(\.cn)?$`)

// awsKeys are the keys of the provider's settings, else those of the environment. The latter are
// for Bedrock's own hosts alone: whoever may save a provider may not sign for other places with them.
func awsKeys(host string, with Proof) (keys aws.Credentials, err error) {
	c := with.Config
	keys.AccessKeyID = strings.TrimSpace(setting(c, "access_key_id"))
	keys.SecretAccessKey = strings.TrimSpace(c.Secrets["secret_access_key"].Reveal())
	keys.SessionToken = strings.TrimSpace(c.Secrets["session_token"].Reveal())
	switch {
	case keys.AccessKeyID != "" && keys.SecretAccessKey != "":
		return keys, nil
	case keys.AccessKeyID != "" || keys.SecretAccessKey != "":
		return keys, &point.Error{Code: point.ProviderCredentials, Message: "Give access_key_id and secret_access_key both, or neither."}
	case !bedrockHost.MatchString(host):
		return keys, &point.Error{Code: point.ProviderCredentials, Message: "The environment's AWS keys are for Bedrock's own hosts alone; give this provider keys of its own."}
	}
	keys = aws.Credentials{AccessKeyID: with.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: with.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: with.Getenv("AWS_SESSION_TOKEN")}
	if keys.AccessKeyID == "" || keys.SecretAccessKey == "" {
		return keys, &point.Error{Code: point.ProviderCredentials, Message: "The provider has no AWS credentials: give it an api_key, or access_key_id and secret_access_key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."}
	}
	return keys, nil
}
