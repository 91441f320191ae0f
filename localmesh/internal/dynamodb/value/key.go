package value

// AppendKey appends an encoding of a key value (S, N or B) to dst. The byte
// order of two encodings is the order of the values, also when more follows:
// no encoding is a prefix of another of the same type.
func (v Value) AppendKey(dst []byte) []byte {
	if v.kind == Numeric {
		return numberOf(v.text).appendKey(dst)
	}
	dst = v.AppendKeyPrefix(dst)
	return append(dst, 0, 0)
}

// AppendKeyPrefix appends what the encodings of all strings or binaries that
// begin with v have in common.
func (v Value) AppendKeyPrefix(dst []byte) []byte {
	for i := range len(v.text) {
		dst = append(dst, v.text[i])
		if v.text[i] == 0 {
			// A zero within is told from the two zeros at the end.
			dst = append(dst, 0xff)
		}
	}
	return dst
}

// The first byte of an encoded number.
const (
	keyNegative = 0x7f
	keyZero     = 0x80
	keyPositive = 0x81
)

func (n Number) appendKey(dst []byte) []byte {
	if n.digits == "" {
		return append(dst, keyZero)
	}
	// The exponent is within 256 places of minPlace, so that it fits one byte.
	place := byte(n.exp - 1 - minPlace)
	if !n.negative {
		dst = append(dst, keyPositive, place)
		dst = append(dst, n.digits...)
		return append(dst, 0)
	}
	dst = append(dst, keyNegative, ^place)
	for i := range len(n.digits) {
		dst = append(dst, ^n.digits[i])
	}
	return append(dst, 0xff)
}
