package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// files looks at who may read and change the files that hold secrets. What cannot be
// looked at is a fault of the configuration or not there yet.
func (d *doctor) files() {
	d.look("files")
	c := d.config
	for _, v := range variablesOf(c) {
		if v.secret() {
			d.private(v.name+"_FILE", os.Getenv(v.name+"_FILE"))
		}
	}
	d.private("TOLLGATE_TLS_KEY_FILE", c.Listeners.TLSKeyFile.Value)
	d.private("TOLLGATE_REVOCATION_JOURNAL", c.Revocation.Journal.Value)
	if dir := c.Keys.Store.Value; dir != "" {
		d.private("TOLLGATE_KEY_STORE", dir)
		// What is in the directory has names of its own; all of it is private.
		if entries, err := os.ReadDir(dir); err == nil {
			for _, e := range entries {
				d.private("TOLLGATE_KEY_STORE", filepath.Join(dir, e.Name()))
			}
		}
	}
	for _, s := range d.specs {
		if f := s.HS256SecretFile; f != "" {
			if !filepath.IsAbs(f) {
				f = filepath.Join(filepath.Dir(c.Keys.TrustedIssuersFile.Value), f)
			}
			d.private("hs256_secret_file of "+s.Issuer, f)
		}
	}
}

// Where orchestrators mount secrets into a container of their own.
const (
	byDocker     = "/run/secrets/"
	byKubernetes = "/var/run/secrets/"
)

// private looks at one file or directory, if it is there. The name of a secret's file
// is not shown: somebody may have put the secret itself there.
func (d *doctor) private(name, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	const groupWrites, otherWrites, otherReads fs.FileMode = 0o020, 0o002, 0o004
	mode := info.Mode().Perm()
	switch {
	case mode&(groupWrites|otherWrites) != 0 && !sticky(info):
		d.add(finding{
			Level: levelError, Check: "files.mode", Where: name, Found: fmt.Sprintf("others than its owner may change it (mode %04o)", mode),
			Meaning: "whoever changes it decides who may sign, log in or administer",
			Do:      "chmod go-w, or better 0600 (a directory 0700)",
		})
	case mode&otherReads != 0:
		f := finding{
			Level: levelWarning, Check: "files.mode", Where: name, Found: fmt.Sprintf("every user of this machine may read it (mode %04o)", mode),
			Meaning: "it holds a secret",
			Do:      "chmod 0600 (a directory 0700), owned by the user that tollgate runs as",
		}
		if strings.HasPrefix(path, byDocker) || strings.HasPrefix(path, byKubernetes) {
			f.Level, f.Meaning = levelInfo, "it holds a secret; an orchestrator has put it there so, into a container that has no other users, it is to be hoped"
		}
		d.add(f)
	}
}

// sticky is a directory in which everybody removes only what is his.
func sticky(info fs.FileInfo) bool { return info.IsDir() && info.Mode()&fs.ModeSticky != 0 }
