package telemetry

import (
	"strings"
	"unicode/utf8"
)

const (
	maxLoggedPath  = 256
	maxLoggedError = 512
)

// Scrub makes the text of an error fit for the log: what looks like a JWT, the
// query of a URL and the userinfo of a URL are masked, control characters are
// escaped, and the whole is cut at 512 bytes. It is the second line of defence:
// the first is not to put such things into errors.
func Scrub(text string) string {
	text = maskTokens(text)
	text = maskQueries(text)
	text = maskUserinfo(text)
	return cut(escapeControl(text), maxLoggedError)
}

// HoldsToken reports whether something in a text looks like a JWT, as Scrub would mask it.
func HoldsToken(text string) bool { return maskTokens(text) != text }

// maskTokens replaces every run that looks like a JWT: it begins with "eyJ", the
// base64url of `{"`, and is as long as the shortest JOSE header, {"alg":"none"}.
// Shorter runs are words ("monkeyJump").
func maskTokens(text string) string {
	const shortest = 19
	var b strings.Builder
	from := 0 // of what is not in b yet
	for at := 0; ; {
		i := strings.Index(text[at:], "eyJ")
		if i < 0 {
			break
		}
		begin := at + i
		at = begin
		for at < len(text) && isTokenByte(text[at]) {
			at++
		}
		if at-begin >= shortest {
			b.WriteString(text[from:begin])
			b.WriteString("***")
			from = at
		}
	}
	if from == 0 {
		return text
	}
	b.WriteString(text[from:])
	return b.String()
}

func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '=' || c == '+' || c == '/' || c == '~'
}

// maskQueries replaces what stands between a question mark and the next blank or
// quote. A question mark that ends a sentence has nothing behind it.
func maskQueries(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '?')
		if i < 0 {
			break
		}
		rest := text[i+1:]
		end := strings.IndexAny(rest, " \t\r\n\"'`<>")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(text[:i+1])
		if end > 0 {
			b.WriteString("***")
		}
		text = rest[end:]
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(text)
	return b.String()
}

// maskUserinfo replaces the user and password between "//" and "@".
func maskUserinfo(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "://")
		if i < 0 {
			break
		}
		rest := text[i+3:]
		end := strings.IndexAny(rest, "/? \t\r\n\"'`<>")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(text[:i+3])
		if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
			b.WriteString("***")
			rest, end = rest[at:], end-at
		}
		b.WriteString(rest[:end])
		text = rest[end:]
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(text)
	return b.String()
}

// escapeControl writes control characters and invalid UTF-8 as \xNN, so that no
// text can begin a line of its own or drive a terminal.
func escapeControl(text string) string {
	clean := func(r rune, size int) bool {
		return r >= 0x20 && r != 0x7f && (r < 0x80 || r > 0x9f) && (r != utf8.RuneError || size > 1)
	}
	first := len(text)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !clean(r, size) {
			first = i
			break
		}
		i += size
	}
	if first == len(text) {
		return text
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.WriteString(text[:first])
	for i := first; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if clean(r, size) {
			b.WriteString(text[i : i+size])
		} else {
			for _, c := range []byte(text[i : i+size]) {
				b.WriteString(`\x`)
				b.WriteByte(digits[c>>4])
				b.WriteByte(digits[c&15])
			}
		}
		i += size
	}
	return b.String()
}

// cut shortens text to at most n bytes without splitting a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
