package admin

import (
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// limit reads the size of a page, 1 to 1000.
func limit(c echo.Context, into *int) error {
	text := c.QueryParam("limit")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return badBody("The parameter limit is a number from 1 to 1000.")
	}
	*into = n
	return nil
}

// word reads a parameter that is one of a few words, or empty. What is misspelt must not
// look like a filter that nothing fits.
func word(c echo.Context, name string, words ...string) (string, error) {
	text := c.QueryParam(name)
	if text != "" && !slices.Contains(words, text) {
		return "", badBody("The parameter " + name + " is one of " + strings.Join(words, ", ") + ".")
	}
	return text, nil
}

// atPlace is the error of a list that was asked for from a place on, which the parameter
// names: it is the only thing about a list that a store finds invalid.
func atPlace(err error, name string) error {
	if isInvalid(err) {
		return badBody("The parameter " + name + " is no place that this list has given: take next of an answer as it is.")
	}
	return err
}
