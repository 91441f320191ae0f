package iampolicy

import (
	"encoding/base64"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A comparison is how a condition operator compares one value of the request with one of the policy.
type comparison uint8

const (
	stringEquals comparison = iota
	stringEqualsIgnoreCase
	stringLike
	numeric
	date
	boolean
	binaryEquals
	ipAddress
	arnLike
	null
)

// A relation is what numbers and dates are compared for.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// A quantifier says how many of the request's values must match.
type quantifier uint8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// An operator is a condition operator, taken apart.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
type operator struct {
	comparison comparison
	relation   relation
	negated    bool
	quantifier quantifier
	ifExists   bool
}

func parseOperator(name string) (operator, bool) {
	var op operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		op.quantifier, name = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		op.quantifier, name = forAnyValue, rest
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	switch name {
	case "StringEquals":
		op.comparison = stringEquals
	case "StringNotEquals":
		op.comparison, op.negated = stringEquals, true
	case "StringEqualsIgnoreCase":
		op.comparison = stringEqualsIgnoreCase
	case "StringNotEqualsIgnoreCase":
		op.comparison, op.negated = stringEqualsIgnoreCase, true
	case "StringLike":
		op.comparison = stringLike
	case "StringNotLike":
		op.comparison, op.negated = stringLike, true
	case "NumericEquals":
		op.comparison = numeric
	case "NumericNotEquals":
		op.comparison, op.negated = numeric, true
	case "NumericLessThan":
		op.comparison, op.relation = numeric, less
	case "NumericLessThanEquals":
		op.comparison, op.relation = numeric, lessOrEqual
	case "NumericGreaterThan":
		op.comparison, op.relation = numeric, greater
	case "NumericGreaterThanEquals":
		op.comparison, op.relation = numeric, greaterOrEqual
	case "DateEquals":
		op.comparison = date
	case "DateNotEquals":
		op.comparison, op.negated = date, true
	case "DateLessThan":
		op.comparison, op.relation = date, less
	case "DateLessThanEquals":
		op.comparison, op.relation = date, lessOrEqual
	case "DateGreaterThan":
		op.comparison, op.relation = date, greater
	case "DateGreaterThanEquals":
		op.comparison, op.relation = date, greaterOrEqual
	case "Bool":
		op.comparison = boolean
	case "BinaryEquals":
		op.comparison = binaryEquals
	case "IpAddress":
		op.comparison = ipAddress
	case "NotIpAddress":
		op.comparison, op.negated = ipAddress, true
	case "ArnEquals", "ArnLike":
		op.comparison = arnLike
	case "ArnNotEquals", "ArnNotLike":
		op.comparison, op.negated = arnLike, true
	case "Null":
		op.comparison = null
		return op, !op.ifExists && op.quantifier == single
	default:
		return operator{}, false
	}
	return op, true
}

// takesVariables tells the operators whose values may hold policy variables.
func (op operator) takesVariables() bool {
	switch op.comparison {
	case stringEquals, stringEqualsIgnoreCase, stringLike, arnLike, boolean:
		return true
	}
	return false
}

func (op operator) takesWildcards() bool {
	return op.comparison == stringLike || op.comparison == arnLike
}

// conditions tells whether all conditions of a statement hold.
func (e *evaluation) conditions(all Conditions) bool {
	for name, keys := range all {
		op, ok := parseOperator(name)
		if !ok {
			return false
		}
		for key, values := range keys {
			if !e.condition(op, key, values) {
				return false
			}
		}
	}
	return true
}

func (e *evaluation) condition(op operator, key string, wanted []string) bool {
	given := e.lookup(key)
	empty := !slices.ContainsFunc(given, func(v string) bool { return v != "" })
	switch {
	case op.comparison == null:
		return slices.ContainsFunc(wanted, func(v string) bool { return strings.EqualFold(v, strconv.FormatBool(empty)) })
	case len(given) == 0 && op.ifExists:
		return true
	case empty && op.quantifier == forAllValues:
		// An empty text counts as no value for the set operators:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
		return true
	case empty && op.quantifier == forAnyValue:
		return false
	case len(given) == 0:
		return op.negated
	}
	wanted, ok := e.expandAll(op, wanted)
	if !ok {
		return false
	}
	holds := func(v string) bool { return op.matchesAny(wanted, v) != op.negated }
	switch op.quantifier {
	case forAllValues:
		return !slices.ContainsFunc(given, func(v string) bool { return !holds(v) })
	case forAnyValue:
		return slices.ContainsFunc(given, holds)
	default:
		// Several values of the request and no set operator: AWS asks for a set operator here. A negated operator
		// stays the opposite of the operator that it negates.
		matched := slices.ContainsFunc(given, func(v string) bool { return op.matchesAny(wanted, v) })
		return matched != op.negated
	}
}

// expandAll replaces the variables of the values; without any, the values are given back as they are.
func (e *evaluation) expandAll(op operator, values []string) ([]string, bool) {
	if !e.variables || !op.takesVariables() || !slices.ContainsFunc(values, hasVariable) {
		return values, true
	}
	expanded := make([]string, 0, len(values))
	for _, v := range values {
		text, ok := e.expand(v, op.takesWildcards())
		if !ok {
			return nil, false
		}
		expanded = append(expanded, text)
	}
	return expanded, true
}

func (op operator) matchesAny(wanted []string, given string) bool {
	for _, w := range wanted {
		if op.matches(w, given) {
			return true
		}
	}
	return false
}

// matches compares one value of the policy with one of the request. What is not a number, a date and so on matches nothing.
func (op operator) matches(wanted, given string) bool {
	switch op.comparison {
	case stringEquals:
		return wanted == given
	case stringEqualsIgnoreCase:
		return strings.EqualFold(wanted, given)
	case stringLike:
		return matchText(wanted, given, false)
	case numeric:
		w, ok := parseNumber(wanted)
		g, ok2 := parseNumber(given)
		return ok && ok2 && op.relation.holds(g.compare(w))
	case date:
		w, ok := parseDate(wanted)
		g, ok2 := parseDate(given)
		return ok && ok2 && op.relation.holds(g.Compare(w))
	case boolean:
		return isBool(wanted) && strings.EqualFold(wanted, given)
	case binaryEquals:
		w, err := base64.StdEncoding.DecodeString(wanted)
		return err == nil && string(w) == given
	case ipAddress:
		network, ok := parseNetwork(wanted)
		address, err := netip.ParseAddr(given)
		return ok && err == nil && network.Contains(address.Unmap())
	case arnLike:
		return matchARN(wanted, given)
	}
	return false
}

// valid tells whether a value of the policy is of the operator's type.
func (op operator) valid(value string) bool {
	ok := true
	switch op.comparison {
	case numeric:
		_, ok = parseNumber(value)
	case date:
		_, ok = parseDate(value)
	case boolean:
		ok = isBool(value) || hasVariable(value)
	case null:
		ok = isBool(value)
	case binaryEquals:
		_, err := base64.StdEncoding.DecodeString(value)
		ok = err == nil
	case ipAddress:
		_, ok = parseNetwork(value)
	}
	return ok
}

func (r relation) holds(order int) bool {
	switch r {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	default:
		return order == 0
	}
}

// A number is an integer, exactly, or else a decimal.
type number struct {
	integer bool
	i       int64
	f       float64
}

func parseNumber(text string) (number, bool) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{integer: true, i: i, f: float64(i)}, true
	}
	// ParseFloat takes more than decimals: hexadecimal, infinities, underscores.
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return number{}, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return number{f: f}, err == nil && !math.IsInf(f, 0)
}

func (n number) compare(other number) int {
	switch {
	case n.integer && other.integer && n.i != other.i:
		if n.i < other.i {
			return -1
		}
		return 1
	case n.integer && other.integer:
		return 0
	case n.f < other.f:
		return -1
	case n.f > other.f:
		return 1
	}
	return 0
}

// parseDate reads the date forms of the W3C's note on ISO 8601, and seconds since 1970. Four digits are a year.
func parseDate(text string) (time.Time, bool) {
	if len(text) != 4 {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.Unix(seconds, 0), true
		}
	}
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02", "2006-01", "2006",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func isBool(text string) bool {
	return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

// parseNetwork reads a CIDR block; an address by itself is a block of one.
func parseNetwork(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix, true
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(address, address.BitLen()), true
}
