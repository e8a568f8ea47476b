// SPDX-License-Identifier: Apache-2.0

// http.FileServer over the directory that is the second argument; it answers with sendfile.
package main

import (
	"net/http"
	"os"
)

func main() {
	files := http.FileServer(http.Dir(os.Args[2]))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(500)
			return
		}
		if len(r.URL.Path) > 7 && r.URL.Path[:7] == "/items/" {
			r.URL.Path = "/ok"
		}
		files.ServeHTTP(w, r)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
