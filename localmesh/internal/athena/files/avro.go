package files

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Avro reads the records of an Avro file, as Iceberg's manifests are
// (https://avro.apache.org/docs/1.12.0/specification/#object-container-files).
func Avro(content []byte) (records []map[string]any, err error) {
	d := &avroDecoder{rest: content}
	if !bytes.HasPrefix(content, []byte("Obj\x01")) {
		return nil, errAvro
	}
	d.rest = d.rest[4:]
	meta, err := d.value(avroSchema{kind: "map", of: []avroSchema{{kind: "bytes"}}}, 0)
	if err != nil {
		return nil, err
	}
	texts := meta.(map[string]any)
	var raw any
	schemaText, _ := texts["avro.schema"].([]byte)
	if err := json.Unmarshal(schemaText, &raw); err != nil {
		return nil, errAvro
	}
	names := map[string]avroSchema{}
	schema, err := readAvroSchema(raw, names)
	if err != nil {
		return nil, err
	}
	codec, _ := texts["avro.codec"].([]byte)
	sync := d.take(16)
	for len(d.rest) > 0 {
		count, size := d.long(), d.long()
		block := d.take(size)
		if d.failed || !bytes.Equal(d.take(16), sync) {
			return nil, errAvro
		}
		switch string(codec) {
		case "", "null":
		case "deflate":
			if block, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(block)), MaxUnpacked)); err != nil {
				return nil, errAvro
			}
		default:
			return nil, lacking("the compression %s of Avro files", codec)
		}
		inner := &avroDecoder{rest: block}
		for range count {
			v, err := inner.value(schema, 0)
			if err != nil {
				return nil, err
			}
			record, ok := v.(map[string]any)
			if !ok {
				return nil, errAvro
			}
			records = append(records, record)
		}
	}
	return records, nil
}

var errAvro = errors.New("it is not an Avro file of records")

// avroSchema is a type of Avro's.
type avroSchema struct {
	kind   string
	of     []avroSchema
	fields []string
	size   int64
	// name is set where a type stands that is defined elsewhere.
	name  string
	names map[string]avroSchema
}

func readAvroSchema(raw any, names map[string]avroSchema) (avroSchema, error) {
	switch x := raw.(type) {
	case string:
		switch x {
		case "null", "boolean", "int", "long", "float", "double", "bytes", "string":
			return avroSchema{kind: x}, nil
		}
		return avroSchema{name: x, names: names}, nil
	case []any:
		s := avroSchema{kind: "union"}
		for _, e := range x {
			of, err := readAvroSchema(e, names)
			if err != nil {
				return s, err
			}
			s.of = append(s.of, of)
		}
		return s, nil
	case map[string]any:
		return readAvroObject(x, names)
	}
	return avroSchema{}, errAvro
}

func readAvroObject(x map[string]any, names map[string]avroSchema) (avroSchema, error) {
	kind, ok := x["type"].(string)
	if !ok {
		return readAvroSchema(x["type"], names)
	}
	s := avroSchema{kind: kind}
	var err error
	one := func(raw any) {
		if err == nil {
			var of avroSchema
			of, err = readAvroSchema(raw, names)
			s.of = append(s.of, of)
		}
	}
	switch kind {
	case "record":
		list, _ := x["fields"].([]any)
		for _, f := range list {
			field, ok := f.(map[string]any)
			if !ok {
				return s, errAvro
			}
			name, _ := field["name"].(string)
			s.fields = append(s.fields, name)
			one(field["type"])
		}
	case "array":
		one(x["items"])
	case "map":
		one(x["values"])
	case "fixed":
		size, _ := x["size"].(float64)
		s.size = int64(size)
	case "enum":
	default:
		return readAvroSchema(kind, names)
	}
	if name, ok := x["name"].(string); ok {
		names[name] = s
	}
	return s, err
}

type avroDecoder struct {
	rest   []byte
	failed bool
}

func (d *avroDecoder) long() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *avroDecoder) take(n int64) []byte {
	if n < 0 || n > int64(len(d.rest)) {
		d.failed = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *avroDecoder) value(s avroSchema, depth int) (any, error) {
	if s.name != "" {
		known, ok := s.names[s.name]
		if !ok {
			return nil, errAvro
		}
		s = known
	}
	if depth > 64 {
		return nil, errAvro
	}
	var v any
	switch s.kind {
	case "null":
	case "boolean":
		b := d.take(1)
		v = len(b) == 1 && b[0] == 1
	case "int", "long", "enum":
		v = d.long()
	case "float":
		if b := d.take(4); b != nil {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	case "double":
		if b := d.take(8); b != nil {
			v = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case "bytes":
		v = d.take(d.long())
	case "string":
		v = string(d.take(d.long()))
	case "fixed":
		v = d.take(s.size)
	case "union":
		i := d.long()
		if i < 0 || i >= int64(len(s.of)) {
			return nil, errAvro
		}
		return d.value(s.of[i], depth+1)
	case "record":
		record := map[string]any{}
		for i, of := range s.of {
			var err error
			if record[s.fields[i]], err = d.value(of, depth+1); err != nil {
				return nil, err
			}
		}
		v = record
	case "array", "map":
		return d.blocks(s, depth)
	default:
		return nil, fmt.Errorf("the type %q of Avro: %w", s.kind, errAvro)
	}
	if d.failed {
		return nil, errAvro
	}
	return v, nil
}

// blocks reads an array or a map, which come in blocks.
func (d *avroDecoder) blocks(s avroSchema, depth int) (any, error) {
	list, pairs := []any{}, map[string]any{}
	for {
		n := d.long()
		if n < 0 {
			n = -n
			d.long()
		}
		if d.failed || n > int64(len(d.rest)) {
			return nil, errAvro
		}
		if n == 0 {
			break
		}
		for range n {
			key := ""
			if s.kind == "map" {
				key = string(d.take(d.long()))
			}
			v, err := d.value(s.of[0], depth+1)
			if err != nil {
				return nil, err
			}
			list, pairs[key] = append(list, v), v
		}
	}
	if s.kind == "map" {
		return pairs, nil
	}
	return list, nil
}
