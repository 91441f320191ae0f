package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestPicturesAreOfToday(t *testing.T) {
	t.Parallel()
	all, err := pictures()
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range all {
		there, err := os.ReadFile("../../docs/pictures/" + name + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		if string(there) != svg {
			t.Errorf("%s is another one by now: go run ./tools/pictures docs/pictures", name)
		}
	}
}

func TestTextsStayInThePictures(t *testing.T) {
	t.Parallel()
	texts := regexp.MustCompile(`<text x="([0-9]+)" y="([0-9]+)" text-anchor="([a-z]+)"[^>]*>([^<]*)`)
	size := regexp.MustCompile(`<svg [^>]*width="([0-9]+)" height="([0-9]+)"`)
	all, err := pictures()
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range all {
		m := size.FindStringSubmatch(svg)
		width, _ := strconv.ParseFloat(m[1], 64)
		height, _ := strconv.ParseFloat(m[2], 64)
		for _, m := range texts.FindAllStringSubmatch(svg, -1) {
			x, _ := strconv.ParseFloat(m[1], 64)
			y, _ := strconv.ParseFloat(m[2], 64)
			long := float64(len(m[4])) * letter
			switch m[3] {
			case "middle":
				x -= long / 2
			case "end":
				x -= long
			}
			if x < 0 || x+long > width || y > height {
				t.Errorf("%s: %q is out of the picture", name, m[4])
			}
		}
	}
}
