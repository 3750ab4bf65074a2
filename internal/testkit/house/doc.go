// Package house holds the rules of the house: who may import whom, how long a
// file may be, where the environment is read. It reads the source with go/parser
// and knows nothing of what the code does; a rule is a value with its reason,
// and a fault says both where and why. It belongs to the test kit: only
// _test.go files import it.
package house
