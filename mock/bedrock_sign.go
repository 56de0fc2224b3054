package mock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The access key whose signatures are recomputed: the one that AWS's documentation uses. Of those
// of other ids the form alone is checked, for their secrets are not known.
const (
	AccessKeyID     = "AKIAIOSFODNN7EXAMPLE"
	SecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// signature is what an Authorization header of AWS's Signature Version 4 holds.
//
//	https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signature struct {
	algorithm string
	keyID     string
	scope     []string // date, region, service, aws4_request
	signed    []string // names of headers
	value     string
}

const signAlgorithm = "AWS4-HMAC-SHA256"

func readSignature(header string) signature {
	algorithm, rest, _ := strings.Cut(header, " ")
	s := signature{algorithm: algorithm}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			s.keyID, s.scope = scope[0], scope[1:]
		case "SignedHeaders":
			s.signed = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	return s
}

// signTime is the form of X-Amz-Date.
const signTime = "20060102T150405Z"

// maxSkew is how far a signature's time may be from the service's.
const maxSkew = 5 * time.Minute

// checkSignature refuses a request that is not signed as it should be.
func (r *request) checkSignature() *failure {
	s := readSignature(r.Header.Get("Authorization"))
	if f := s.incomplete(r.Request); f != nil {
		return f
	}
	at, err := time.Parse(signTime, r.Header.Get("X-Amz-Date"))
	skew := r.server.opts.Now().Sub(at)
	switch {
	case err != nil || s.scope[0] != r.Header.Get("X-Amz-Date")[:8]:
		return unsigned("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	case s.scope[2] != "bedrock":
		return unsigned("Credential should be scoped to correct service: 'bedrock'.")
	case s.scope[3] != "aws4_request":
		return unsigned("Credential should be scoped with a valid terminator: 'aws4_request'.")
	case skew > maxSkew:
		return unsigned("Signature expired: " + at.Format(signTime) + " is now earlier than " + r.server.opts.Now().Add(-maxSkew).UTC().Format(signTime) + ".")
	case skew < -maxSkew:
		return unsigned("Signature not yet current: " + at.Format(signTime) + " is still later than " + r.server.opts.Now().Add(maxSkew).UTC().Format(signTime) + ".")
	case s.keyID == invalidKey:
		return &failure{status: http.StatusForbidden, kind: kindUnknownID, message: "The security token included in the request is invalid."}
	case s.keyID == AccessKeyID && !hmac.Equal([]byte(s.of(r, SecretAccessKey)), []byte(s.value)):
		return unsigned("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func unsigned(message string) *failure {
	return &failure{status: http.StatusForbidden, kind: kindSignature, message: message}
}

// incomplete tells what the header lacks, or which header should have been signed and was not.
func (s *signature) incomplete(r *http.Request) *failure {
	var lacks []string
	for name, there := range map[string]bool{"Credential": s.keyID != "", "Signature": s.value != "", "SignedHeaders": len(s.signed) > 0} {
		if !there {
			lacks = append(lacks, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if r.Header.Get("X-Amz-Date") == "" {
		lacks = append(lacks, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	slices.Sort(lacks)
	switch {
	case s.algorithm != signAlgorithm:
		lacks = []string{"Unsupported AWS 'algorithm': '" + s.algorithm + "'."}
	case len(lacks) == 0 && (len(s.scope) != 4 || s.keyID == ""):
		lacks = []string{"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."}
	}
	if len(lacks) > 0 {
		return &failure{status: http.StatusForbidden, kind: kindHalfAuth, message: strings.Join(lacks, " ")}
	}
	want := []string{"host"}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			want = append(want, strings.ToLower(name))
		}
	}
	for _, name := range want {
		if !slices.Contains(s.signed, name) {
			return unsigned("'" + name + "' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

// of is the signature that the request should have.
func (s *signature) of(r *request, secret string) string {
	canonical := sha256.Sum256([]byte(s.canonical(r)))
	text := strings.Join([]string{signAlgorithm, r.Header.Get("X-Amz-Date"), strings.Join(s.scope, "/"), hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range append(slices.Clone(s.scope), text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// canonical is the request as it is signed. The path, which is encoded, is encoded once more.
func (s *signature) canonical(r *request) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + awsEncode(r.URL.EscapedPath(), "/") + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range s.signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = r.Request.Header.Get("Content-Length")
			if value == "" {
				value = strconv.Itoa(len(r.body))
			}
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	sum := sha256.Sum256(r.body)
	b.WriteString("\n" + strings.Join(s.signed, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String()
}

func canonicalQuery(query url.Values) string {
	var list []string
	for name, values := range query {
		for _, v := range values {
			list = append(list, awsEncode(name, "")+"="+awsEncode(v, ""))
		}
	}
	slices.Sort(list)
	return strings.Join(list, "&")
}

// awsEncode encodes every byte that is no letter, digit or one of -._~ and keep.
func awsEncode(text, keep string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
	}
	return b.String()
}
