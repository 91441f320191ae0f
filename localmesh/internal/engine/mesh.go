package engine

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Mesh is a running local mesh: the store, the services and the switches.
type Mesh struct {
	// Store holds the state.
	Store store.Store
	// Log gets a line a call at debug level; nil means none.
	Log *slog.Logger
	// Clock is the mesh's time.
	Clock func() time.Time
	// Faults are the planned faults.
	Faults *Faults
	// Counts are the calls that were made.
	Counts *Counts
	// Traffic is the delay and the rate limits.
	Traffic *Traffic
	// Settling is what was changed and is not known everywhere yet.
	Settling *Settling
	// MaxBody bounds the size of a request's body, in bytes.
	MaxBody int64
	// Names are those of the partition that the mesh is in. They do not change.
	Names Names
	// Home is a region of that partition, for requests that name none.
	Home string
	// Readings choose where AWS can be read in several ways. They do not change while
	// calls are made.
	Readings Readings

	policies    *authz.Policies
	signingKeys sigv4.Keys
	services    map[string]*Service
	// due is held while something that is due is done.
	due sync.Mutex

	random struct {
		sync.Mutex
		*rand.Rand
	}
}

// New makes a mesh of the services on the store. A zero seed means a random one.
func New(s store.Store, seed uint64, services ...Service) *Mesh {
	m := &Mesh{
		Store: s, Clock: time.Now, Faults: &Faults{}, Counts: newCounts(), Traffic: &Traffic{}, Settling: &Settling{}, Home: lakemesh.DefaultRegion,
		MaxBody: 64 << 20, policies: authz.NewPolicies(), services: map[string]*Service{},
	}
	if seed == 0 {
		var b [8]byte
		// crypto/rand.Read never fails.
		_, _ = crand.Read(b[:])
		seed = binary.LittleEndian.Uint64(b[:])
	}
	m.random.Rand = rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))
	for i := range services {
		m.services[services[i].Name] = prepare(services[i])
	}
	return m
}

// LearnFrom lets the mesh begin with what another has learned that depends on no state: the
// policies that it parsed, and how the services' structs are read and written. It is to be
// called before the first call.
func (m *Mesh) LearnFrom(other *Mesh) {
	m.policies = other.policies.Copy()
	for name, s := range m.services {
		if known, ok := other.services[name]; ok {
			s.codec = known.codec
		}
	}
}

// signed finds the service that a request with the signing name and the target is for.
func (m *Mesh) signed(name, target string) (*Service, bool) {
	for _, s := range m.services {
		if s.Signing == name && s.Target != "" && strings.HasPrefix(target, s.Target+".") {
			return s, true
		}
	}
	s, ok := m.services[name]
	return s, ok && (s.Signing == "" || s.Signing == name && s.Target == "")
}

// prepare fills in a service's defaults and its index of operations.
func prepare(s Service) *Service {
	if s.Naming == nil {
		s.Naming = wire.AsIs
	}
	s.codec = wire.NewCodec(s.Naming, awsmodel.Refused(s.Name)...)
	if s.DeniedCode == "" {
		s.DeniedCode = "AccessDeniedException"
	}
	if s.DeniedStatus == 0 {
		s.DeniedStatus = http.StatusBadRequest
	}
	if s.ThrottleCode == "" {
		s.ThrottleCode = "ThrottlingException"
	}
	if s.InvalidCode == "" {
		s.InvalidCode = "ValidationException"
	}
	if s.ThrottleStatus == 0 {
		s.ThrottleStatus = http.StatusBadRequest
	}
	s.byName = make(map[string]*Operation, len(s.Operations))
	for i := range s.Operations {
		op := &s.Operations[i]
		key := op.Name
		if s.Protocol == wire.RestJSON {
			// RAM's paths are in lower case, Lake Formation's are not.
			key = strings.ToLower(key)
		}
		s.byName[key] = op
	}
	return &s
}

// Services returns the services in the order of their names.
func (m *Mesh) Services() []Service {
	var all []Service
	for _, s := range m.services {
		all = append(all, *s)
	}
	sortByName(all)
	return all
}

// Policies evaluates IAM policies on the mesh's state.
func (m *Mesh) Policies() *authz.Policies { return m.policies }

const (
	upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	mixedAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

func (m *Mesh) letters(alphabet string, n int) string {
	m.random.Lock()
	defer m.random.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.random.IntN(len(alphabet))]
	}
	return string(b)
}

// ID makes an identifier in the form of IAM's: prefix ("AROA") and n upper-case
// letters and digits.
func (m *Mesh) ID(prefix string, n int) string { return prefix + m.letters(upperAlphanumeric, n) }

// Secret makes n letters and digits of both cases. With a seeded mesh they can
// be predicted, which is what a test wants and nobody else should.
func (m *Mesh) Secret(n int) string { return m.letters(mixedAlphanumeric, n) }

// UUID makes a version 4 UUID.
func (m *Mesh) UUID() string {
	m.random.Lock()
	hi, lo := m.random.Uint64(), m.random.Uint64()
	m.random.Unlock()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc0<<56) | 0x80<<56
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}
