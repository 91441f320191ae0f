package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func drawn(t *testing.T, c Chart) string {
	t.Helper()
	var b strings.Builder
	if err := c.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(b.String()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return b.String()
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, &b)
		}
	}
}

func TestCurvesAreDrawnToScale(t *testing.T) {
	t.Parallel()
	got := drawn(t, Chart{Title: "calls & time", X: "tables", Y: "<s>", Series: []Series{
		{Name: "P=0", Points: []Point{{0, 1}, {1, 10}, {10, 100}, {100, 1000}}},
		{Name: "bound", Dashed: true, Points: []Point{{1, 10}, {100, 1000}}},
	}})
	for _, want := range []string{
		// From corner to corner, with the middle in the middle.
		`class="curve" stroke="#2f81f7" d="M70 384L325 214L580 44"`,
		`class="least" stroke="#2f81f7" d="M70 384L580 44"`,
		`>calls &amp; time<`, `>&lt;s&gt;<`, `>100<`, `>1k<`, "prefers-color-scheme:dark",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "<circle"); n != 3 {
		t.Errorf("%d points, want those of the curve that are above zero", n)
	}
}

func TestWithoutPointsThereAreAxes(t *testing.T) {
	t.Parallel()
	for _, points := range [][]Point{nil, {{-1, 0}}, {{5, 5}}} {
		got := drawn(t, Chart{Series: []Series{{Name: "none", Points: points}}})
		if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
			t.Errorf("%v: %s", points, got)
		}
	}
}

func TestAxesHoldWhatIsMeasured(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, to, first, last float64 }{
		{1, 2000, 1, 2000}, {0.31, 97, 0.2, 100}, {25, 51_000, 20, 100_000}, {1, 1, 1, 10},
	} {
		a := axis{from: test.from, to: test.to}.rounded()
		if math.Abs(a.from-test.first) > slack || math.Abs(a.to-test.last) > slack {
			t.Errorf("from %v to %v: got %v to %v", test.from, test.to, a.from, a.to)
		}
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0.1: "0.1", 1: "1", 100: "100", 1000: "1k", 1e5: "100k", 1e7: "10M"} {
		if got := label(v); got != want {
			t.Errorf("%v: got %s", v, got)
		}
	}
}
