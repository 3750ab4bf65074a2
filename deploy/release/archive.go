package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
)

// file is one of an archive.
type file struct {
	name string
	mode int64
	text []byte
}

// archive packs files into a folder, in the order of their names, as nobody's and
// with one date: the same files give the same bytes.
func (r *release) archive(folder string, files []file) ([]byte, error) {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	all := tar.NewWriter(zip)
	for _, f := range files {
		head := &tar.Header{
			Typeflag: tar.TypeReg, Name: folder + "/" + f.name, Mode: f.mode, Size: int64(len(f.text)),
			ModTime: r.date, Format: tar.FormatUSTAR, Uname: "root", Gname: "root",
		}
		if err := all.WriteHeader(head); err != nil {
			return nil, err
		}
		if _, err := all.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := all.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
