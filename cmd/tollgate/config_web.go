package main

import "tollgate/gateway"

// Origins is a list of exact web origins (RFC 6454 section 6.2).
type Origins struct{ value[[]string] }

// Decode implements setting.
func (o *Origins) Decode(text string) error {
	return o.put(checkedList(text, func(member string) string {
		if _, err := gateway.NewCORS([]string{member}); err != nil {
			return "is not an origin such as https://app.example.com"
		}
		return ""
	}))
}

// CookieName is the name of a cookie (RFC 6265 section 4.1.1), or nothing.
type CookieName struct{ value[string] }

// Decode implements setting.
func (c *CookieName) Decode(text string) error {
	for _, r := range text {
		if !isTokenRune(r) {
			return c.put(text, shown(text)+" is not the name of a cookie")
		}
	}
	return c.put(text, "")
}
