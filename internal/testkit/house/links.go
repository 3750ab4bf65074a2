package house

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode"
)

func documentRules() []Rule {
	return []Rule{{
		"each link of a document leads somewhere", "who follows a link that leads nowhere stops reading",
		checkLinks,
	}}
}

// checkLinks follows every relative link of the tree's documents, to a file or folder
// and, where it names one, to a heading. What stands in code is no link.
func checkLinks(t *Tree) []Fault {
	var faults []Fault
	err := fs.WalkDir(t.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := fs.ReadFile(t.fsys, name)
		if err != nil {
			return err
		}
		for _, target := range links(string(text)) {
			if what := t.follow(name, target); what != "" {
				faults = append(faults, Fault{Where: name, What: fmt.Sprintf("the link to %s %s", target, what)})
			}
		}
		return nil
	})
	if err != nil {
		faults = append(faults, Fault{Where: ".", What: err.Error()})
	}
	return faults
}

// follow says what is wrong with a link of a document; "" when it leads somewhere.
func (t *Tree) follow(from, target string) string {
	file, anchor, _ := strings.Cut(target, "#")
	at := from
	if file != "" {
		at = path.Join(path.Dir(from), file)
	}
	if _, err := fs.Stat(t.fsys, at); err != nil {
		return "leads nowhere"
	}
	if anchor == "" || !strings.HasSuffix(at, ".md") {
		return ""
	}
	text, err := fs.ReadFile(t.fsys, at)
	if err != nil {
		return err.Error()
	}
	if !anchors(string(text))[anchor] {
		return "names a heading that is not there"
	}
	return ""
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *``` *$")
	inline  = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(<?([^)<>\s]+)>?(?: "[^"]*")?\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	label   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	scheme  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
)

// links returns the relative targets of a document.
func links(text string) []string {
	var out []string
	for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(fence.ReplaceAllString(text, ""), ""), -1) {
		if !scheme.MatchString(m[1]) && !strings.HasPrefix(m[1], "//") {
			out = append(out, m[1])
		}
	}
	return out
}

// anchors returns the names of a document's headings, as forges make them: in small
// letters, without punctuation, blanks as hyphens, a number behind the second of a name.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, label.ReplaceAllString(m[1], "$1"))
		unique := name
		for n := 1; out[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		out[unique] = true
	}
	return out
}
