package remote

import (
	"errors"
	"fmt"
	"strings"
)

// How much of a stranger's document may come into one log line.
const (
	briefErrors = 4
	briefBytes  = 200
)

// cut shortens a text.
func cut(text string) string {
	if len(text) <= briefBytes {
		return text
	}
	return strings.ToValidUTF8(text[:briefBytes], "") + "…"
}

// brief makes one short error of many that may be long: a document of a megabyte
// must not become a log line of one.
func brief(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	var texts []string
	for _, err := range errs[:min(len(errs), briefErrors)] {
		texts = append(texts, cut(err.Error()))
	}
	if more := len(errs) - briefErrors; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return errors.New(strings.Join(texts, "; "))
}
