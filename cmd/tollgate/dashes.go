package main

import (
	"regexp"
	"slices"
	"strings"
)

// unknownShorthand begins what the flags' library says of letters that are no flags.
const unknownShorthand = "unknown shorthand flag"

// dashedKeyID is a key's thumbprint (RFC 7638, 32 bytes in base64url) that begins with a
// hyphen, as one of 64 does. No row of one-letter flags looks like it.
var dashedKeyID = regexp.MustCompile(`^-[A-Za-z0-9_-]{42}$`)

// keyIDsLast returns the arguments with such key ids behind a "--", where the flags were
// found wrong: then nothing was done yet. Whoever copies a key's id in an emergency must
// not have to know of this.
func keyIDsLast(args []string, err error) (again []string, ok bool) {
	if err == nil || !strings.Contains(err.Error(), unknownShorthand) {
		return nil, false
	}
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	var ids []string
	for _, a := range args[:end] {
		if dashedKeyID.MatchString(a) {
			ids = append(ids, a)
		} else {
			again = append(again, a)
		}
	}
	again = append(append(again, "--"), ids...)
	if end < len(args) {
		again = append(again, args[end+1:]...)
	}
	return again, len(ids) > 0
}
