package main

import (
	"strings"
	"time"

	"tollgate/gateway"
	"tollgate/internal/server"
)

// Origins is a list of exact web origins (RFC 6454 section 6.2), as a browser
// writes them: no pattern, no path, no port that the scheme has anyway.
type Origins struct{ value[[]string] }

// Decode implements setting.
func (o *Origins) Decode(text string) error {
	return o.put(checkedList(text, func(member string) string {
		if _, err := gateway.NewCORS([]string{member}); err != nil {
			return "is not an origin such as https://app.example.com"
		}
		if strings.HasPrefix(member, "http://") && strings.HasSuffix(member, ":80") ||
			strings.HasPrefix(member, "https://") && strings.HasSuffix(member, ":443") {
			return "names the port that its scheme has anyway, which no browser writes"
		}
		return ""
	}))
}

// CookieName is the name of a cookie (RFC 6265 section 4.1.1), or nothing.
type CookieName struct{ value[string] }

// Decode implements setting.
func (c *CookieName) Decode(text string) error {
	text = strings.TrimSpace(text)
	for _, r := range text {
		if !isTokenRune(r) {
			return c.put(text, shown(text)+" is not the name of a cookie")
		}
	}
	return c.put(text, "")
}

// tls reads the certificate as the start will: what is wrong with it is known to
// validate too.
func (r *rules) tls() {
	const certName, keyName = "TOLLGATE_TLS_CERT_FILE", "TOLLGATE_TLS_KEY_FILE"
	l := &r.c.Listeners
	cert, key := l.TLSCertFile.Value, l.TLSKeyFile.Value
	if r.faulty[certName] || r.faulty[keyName] {
		return
	}
	switch {
	case cert == "" && key != "":
		r.fault(certName, "is required with "+keyName)
	case cert != "" && key == "":
		r.fault(keyName, "is required with "+certName)
	case cert == "" && l.HSTS.Value > 0:
		r.fault("TOLLGATE_HSTS", "is set but the public listener has no TLS ("+certName+"): over plain HTTP browsers ignore it")
	case l.HSTS.Value > 0 && l.HSTS.Value < time.Second:
		r.fault("TOLLGATE_HSTS", "has to be at least 1s, or 0")
	}
	if cert == "" || key == "" {
		return
	}
	loaded, err := server.LoadCertificate(cert, key, nil)
	switch {
	case err != nil:
		r.fault(certName, "and "+keyName+" cannot be used: "+err.Error())
	case time.Now().After(loaded.Info().NotAfter):
		r.warn(certName, "holds a certificate that has expired")
	}
}
