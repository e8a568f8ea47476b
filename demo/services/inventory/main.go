// SPDX-License-Identifier: Apache-2.0

// Inventory: Go's net/http and nothing else. A sku divisible by 25 does not exist.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func drag() {
	text, err := os.ReadFile(os.Getenv("DEMO_SLOW_FILE"))
	if err != nil {
		return
	}
	if ms, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil {
		time.Sleep(time.Duration(ms * float64(time.Millisecond)))
	}
}

func stock(w http.ResponseWriter, r *http.Request) {
	drag()
	w.Header().Set("Content-Type", "application/json")
	sku, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/stock/"))
	if err != nil || sku%25 == 0 {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"no such sku"}`)
		return
	}
	time.Sleep(time.Millisecond)
	fmt.Fprintf(w, `{"sku":%d,"count":%d}`, sku, sku%7+1)
}

func main() {
	http.HandleFunc("/stock/", stock)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
