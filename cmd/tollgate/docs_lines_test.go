package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the texts of every document of the tree that a person wrote.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || path != "../.." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case filepath.Ext(path) != ".md" || filepath.Base(path) == "commands.md": // which is made of the help
			return nil
		}
		text, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, "../../")] = string(text)
		return err
	})
	if err != nil || len(out) < 50 {
		t.Fatalf("%d documents, %v", len(out), err)
	}
	return out
}

var (
	shellBlock = regexp.MustCompile("(?ms)^ *```(?:sh|console|bash)\n(.*?)^ *```$")
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	// callOf is a command of ours in a line of a shell: at its beginning, behind a
	// setting, a pipe or a word that runs another.
	callOf = regexp.MustCompile(`(?:^|[\s;|&(/])tollgate((?: (?:[^'"|<>#;&)\n\\]|'[^'\n]*'|"[^"\n]*"|<[A-Z]+>)+)?)`)
	// firstWord is what may follow the program's name.
	firstWord = regexp.MustCompile(`^(-|[a-z][a-z-]+$)`)
	// inSentence are errors of commands that a sentence gives in part.
	inSentence = regexp.MustCompile(`help requested|flag needs an argument`)
	wordOf     = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
)

// calls are the commands of tollgate in a piece of shell, as their arguments.
func calls(shell string) (all [][]string) {
	shell = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(shell, "")
	shell = regexp.MustCompile(`journalctl -u tollgate|systemctl .*? tollgate|\./cmd/tollgate`).ReplaceAllString(shell, "")
	for line := range strings.Lines(shell) {
		line, _, _ = strings.Cut(line, " #")
		for _, m := range callOf.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
			var args []string
			for _, w := range wordOf.FindAllString(m[1], -1) {
				args = append(args, strings.Trim(w, `'"`))
			}
			if len(args) > 0 {
				all = append(all, args)
			}
		}
	}
	return all
}

// parse takes the arguments as the program would. What stands in a sentence may leave
// arguments out, and has no value for a flag of that form.
func parse(args []string, whole bool) error {
	cmd, rest, err := (&cli{}).root().Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if whole {
		return cmd.ValidateArgs(cmd.Flags().Args())
	}
	return nil
}

// TestDocumentsCommandsParse: the commands in every document are there, and so are
// their flags and, in blocks, as many arguments as they take.
func TestDocumentsCommandsParse(t *testing.T) {
	blocks, sentences := 0, 0
	for file, text := range documents(t) {
		for _, m := range shellBlock.FindAllStringSubmatch(text, -1) {
			for _, args := range calls(m[1]) {
				if !firstWord.MatchString(args[0]) {
					continue // tollgate is what is copied, installed, named
				}
				blocks++
				if err := parse(args, true); err != nil {
					t.Errorf("%s: tollgate %s: %v", file, strings.Join(args, " "), err)
				}
			}
		}
		for _, m := range inlineCode.FindAllStringSubmatch(shellBlock.ReplaceAllString(text, ""), -1) {
			for _, args := range calls(m[1]) {
				if slices.Contains(args, "…") {
					continue // whatever it is
				}
				sentences++
				if err := parse(args, false); err != nil && !inSentence.MatchString(err.Error()) {
					t.Errorf("%s: `%s`: %v", file, m[1], err)
				}
			}
		}
	}
	if blocks < 70 || sentences < 80 {
		t.Errorf("only %d commands in blocks and %d in sentences", blocks, sentences)
	}
	for _, wrong := range []string{"tollgate revoke user 1 --yes", "tollgate doctor --all", "tollgate edgs", "A=b tollgate keys revoke --yes"} {
		if args := calls(wrong); len(args) != 1 || parse(args[0], true) == nil {
			t.Errorf("%s is taken for right: %q", wrong, args)
		}
	}
}

// TestDocumentsNameVariables: a setting that a document names is one that the program
// knows.
func TestDocumentsNameVariables(t *testing.T) {
	known := map[string]bool{"TOLLGATE_PORT": true} // which Kubernetes makes, and we do not read
	for _, v := range variablesOf(&Config{}) {
		if known[v.name] = true; v.secret() {
			known[v.name+"_FILE"] = true
		}
	}
	named := 0
	for file, text := range documents(t) {
		for _, name := range regexp.MustCompile(`\bTOLLGATE_[A-Z0-9_]*[A-Z0-9]\b`).FindAllString(text, -1) {
			if named++; !known[name] {
				t.Errorf("%s names %s, which is no variable of tollgate", file, name)
			}
		}
	}
	if named < 300 {
		t.Errorf("only %d names", named)
	}
}

// TestDocumentsNameMetrics: a metric that a document names, whole or by a part behind
// grep, is there.
func TestDocumentsNameMetrics(t *testing.T) {
	all := catalogue(t)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	one := regexp.MustCompile(`\btollgate_[a-z0-9_]*[a-z0-9]\b`)
	// What is looked for at /metrics, each part of an alternative by itself.
	parts := regexp.MustCompile(`/metrics\S* \| grep (?:-\w+ )?'?([^'\n]+?)'?(?:\s|$)`)
	looked := 0
	for file, text := range documents(t) {
		for _, name := range one.FindAllString(text, -1) {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if nginx := name == "tollgate_user" || name == "tollgate_other"; nginx {
				continue // variables of its configuration
			}
			if all[name].name == "" && all[base].name == "" && !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, name+"_") }) {
				t.Errorf("%s names %s, which is no metric", file, name)
			}
		}
		for _, m := range parts.FindAllStringSubmatch(text, -1) {
			for _, part := range regexp.MustCompile(`[a-z0-9_]{5,}`).FindAllString(strings.NewReplacer("tollgate_", "", `result="store_lost"`, "").Replace(m[1]), -1) {
				looked++
				base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(part, "")
				if strings.HasPrefix(part, "go_") || strings.HasPrefix(part, "process_") {
					continue
				}
				if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, base) || base == "tollgate" }) {
					t.Errorf("%s greps for %s, which no metric has", file, part)
				}
			}
		}
	}
	if looked < 15 {
		t.Errorf("only %d greps", looked)
	}
}
