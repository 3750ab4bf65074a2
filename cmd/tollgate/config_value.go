package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// setting is a field of Config that is read from one variable.
type setting interface {
	// Decode takes the variable's text (envconfig.Decoder). It always returns
	// nil: envconfig stops at the first error and prints the value with it.
	Decode(text string) error
	// fault says what is wrong with the text, or nothing.
	fault() string
	// show writes the value as the variable would, a secret masked.
	show() string
}

// constrained is a setting that reads bounds from its field's tags.
type constrained interface{ constrain(tag reflect.StructTag) }

// value is what the settings have in common.
type value[T any] struct {
	// Value is the decoded value; meaningless where there was a fault.
	Value   T
	problem string
}

func (v *value[T]) fault() string { return v.problem }

// put stores the value with its fault, or none.
func (v *value[T]) put(x T, problem string) error {
	v.Value, v.problem = x, problem
	return nil
}

// shown quotes a variable's text for a fault. Never for a secret, nor for a URL,
// in which there may be one.
func shown(text string) string {
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return strconv.Quote(text)
}

// hasControl reports whether the text has a control character in it.
func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// hasBlankOrControl reports whether the text has a blank or a control character
// in it.
func hasBlankOrControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
}

// Text is any text without control characters.
type Text struct{ value[string] }

// Decode implements setting.
func (t *Text) Decode(text string) error {
	if hasControl(text) {
		return t.put("", "has a control character in it")
	}
	return t.put(strings.TrimSpace(text), "")
}

// Bool is true or false.
type Bool struct{ value[bool] }

// Decode implements setting.
func (b *Bool) Decode(text string) error {
	on, err := strconv.ParseBool(strings.TrimSpace(text))
	if err != nil {
		return b.put(false, shown(text)+" is neither true nor false")
	}
	return b.put(on, "")
}

// Choice is one of the words of its oneof tag.
type Choice struct{ value[string] }

// Decode implements setting.
func (c *Choice) Decode(text string) error { return c.put(strings.TrimSpace(text), "") }

func (c *Choice) constrain(tag reflect.StructTag) {
	for word := range strings.FieldsSeq(tag.Get("oneof")) {
		if strings.EqualFold(word, c.Value) {
			c.Value = word
			return
		}
	}
	c.problem = fmt.Sprintf("%s is none of: %s", shown(c.Value), tag.Get("oneof"))
}

// Count is a whole number.
type Count struct{ value[int] }

// Decode implements setting.
func (c *Count) Decode(text string) error {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return c.put(0, shown(text)+" is not a whole number")
	}
	return c.put(n, "")
}

func (c *Count) constrain(tag reflect.StructTag) { bound(&c.value, tag, strconv.Atoi) }

// Size is a number of bytes.
type Size struct{ value[int] }

// Decode implements setting.
func (s *Size) Decode(text string) error {
	n, err := parseSize(text)
	if err != nil {
		return s.put(0, shown(text)+" is not a size such as 8192, 16KiB or 1MiB")
	}
	return s.put(n, "")
}

func (s *Size) constrain(tag reflect.StructTag) { bound(&s.value, tag, parseSize) }

func parseSize(text string) (int, error) {
	text = strings.TrimSpace(text)
	factor := 1
	for unit, bytes := range map[string]int{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, factor = strings.TrimSpace(number), bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, err
	}
	return int(n) * factor, nil
}

// Duration is a length of time; positive unless its min tag says otherwise.
type Duration struct{ value[time.Duration] }

// Decode implements setting.
func (d *Duration) Decode(text string) error {
	length, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return d.put(0, shown(text)+" is not a duration such as 300ms, 5m or 24h")
	}
	return d.put(length, "")
}

func (d *Duration) constrain(tag reflect.StructTag) {
	if _, ok := tag.Lookup("min"); !ok && d.problem == "" && d.Value <= 0 {
		d.problem = "has to be more than 0"
	}
	bound(&d.value, tag, time.ParseDuration)
}

// bound checks a value against its field's min and max tags.
func bound[T int | time.Duration](v *value[T], tag reflect.StructTag, parse func(string) (T, error)) {
	if v.problem != "" {
		return
	}
	if text, ok := tag.Lookup("min"); ok {
		if least, err := parse(text); err != nil || v.Value < least {
			v.problem = "has to be at least " + text
		}
	}
	if text, ok := tag.Lookup("max"); ok {
		if most, err := parse(text); err != nil || v.Value > most {
			v.problem = "has to be at most " + text
		}
	}
}
