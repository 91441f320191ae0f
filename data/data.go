// Package data is real data for the demo, the tests and the benchmark: airports and
// routes of the United States, and daily weather of two cities. README.md tells
// where it comes from.
package data

import _ "embed" // The data is part of the program.

//go:embed airports.csv
var airports string

//go:embed flights-airport.csv
var routes string

//go:embed weather.csv
var weather string

// Airports returns the 3,376 airports as CSV with a header: iata, name, city,
// state, country, latitude, longitude.
func Airports() string { return airports }

// Routes returns the 5,366 routes of 2008 as CSV with a header: origin,
// destination, count of flights.
func Routes() string { return routes }

// Weather returns 2,922 days as CSV with a header: location, date, precipitation
// (mm), temp_max (°C), temp_min (°C), wind (m/s), weather. The locations are
// Seattle and New York, the years 2012 to 2015.
func Weather() string { return weather }
