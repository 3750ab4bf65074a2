// Command release makes what is published of a version: for each platform an
// archive with the program, its man pages and completions, and a list of what is
// in it (SBOM, CycloneDX), and one file with all checksums.
//
//	go run ./deploy/release -version v1.2.3 -time 1767225600 -out dist
//
// The same sources, version, time and compiler give the same bytes, wherever they
// are built. It is run by `make dist` and knows nothing of the program but how it
// is built and that it prints its own man pages and completions.
package main
