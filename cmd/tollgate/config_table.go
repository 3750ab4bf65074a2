package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeEnvTable writes the table of all variables in Markdown, as it stands in the
// documentation. It is made of the tags of Config.
func writeEnvTable(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "| group | variable | default | meaning |\n|---|---|---|---|\n")
	group := ""
	for _, v := range variablesOf(&Config{}) {
		shownGroup := ""
		if v.group != group {
			group, shownGroup = v.group, v.group
		}
		name := "`" + v.name + "`"
		if v.secret() {
			name += " (S)"
		}
		fallback := v.tag.Get("default")
		if fallback != "" {
			fallback = "`" + fallback + "`"
		}
		desc := v.tag.Get("desc")
		if words := v.tag.Get("oneof"); words != "" && !strings.Contains(desc, words[:strings.IndexByte(words, ' ')]) {
			desc += ": " + strings.Join(strings.Fields(words), ", ")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", shownGroup, name, fallback, strings.ReplaceAll(desc, "|", `\|`))
	}
	fmt.Fprint(b, "\n(S) marks a secret: it may also be given in a file that the variable's name with `_FILE` behind it names.\n")
	return b.Flush()
}
