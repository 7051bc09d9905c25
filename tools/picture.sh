#!/bin/bash
# A terminal's text on standard input as an SVG picture on standard output, for the README: make quickstart | tools/picture.sh 'make quickstart'
set -euo pipefail
exec awk -v title="${1:-}" '
  function escape(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); return text }
  function colour(text) {
    if (text ~ /promoted|Healthy/) return "#7ee787"
    if (text ~ /rolled back|shut out|Degraded/) return "#ff7b72"
    if (text ~ /^\$/) return "#79c0ff"
    return "#c9d1d9"
  }
  BEGIN { if (title != "") lines[++count] = "$ " title }
  { gsub(/\t/, "        "); if (length($0) > 150) $0 = substr($0, 1, 149) "~"; lines[++count] = $0; if (length($0) > width) width = length($0) }
  END {
    step = 18; w = width * 7.9 + 32; h = count * step + 32
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", w, h, w, h
    printf "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#0d1117\"/>\n"
    printf "<g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"13\">\n"
    for (i = 1; i <= count; i++)
      printf "<text x=\"16\" y=\"%d\" fill=\"%s\" xml:space=\"preserve\">%s</text>\n", 16 + i * step - 4, colour(lines[i]), escape(lines[i])
    print "</g>\n</svg>"
  }'
