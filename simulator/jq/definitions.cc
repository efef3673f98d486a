#include "simulator/jq/definitions.h"

namespace kulisse::simulator::jq {

// Each means what gojq 0.12.19 means by it, down to the order of results; its manual says what that
// is. Names with `_` in front are natives that no program can call.
const std::string_view kDefinitions = R"jq(
# --- choosing
def not: if . then false else true end;
def select(f): if f then . else empty end;
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def nulls: select(. == null);
def values: select(. != null);
def scalars: select(type != "array" and type != "object");
def finites: select(isfinite);
def normals: select(isnormal);

# --- collections
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def add(f): [f] | add;
def in(container): . as $key | container | has($key);
def to_entries: [keys[] as $key | {$key, value: .[$key]}];
def from_entries:
  [.[] | {(.key // .Key // .name // .Name): (if has("value") then .value else .Value end)}]
  | add // {};
def with_entries(f): to_entries | [.[] | f] | from_entries;
def min_by(f): _min_by([.[] | [f]]);
def max_by(f): _max_by([.[] | [f]]);
def sort_by(f): _sort_by([.[] | [f]]);
def group_by(f): _group_by([.[] | [f]]);
def unique_by(f): _unique_by([.[] | [f]]);
def combinations:
  if length == 0 then [] else .[0][] as $head | [$head] + (.[1:] | combinations) end;
def combinations(n): [limit(n; repeat(.))] | combinations;
def walk(f):
  def visit:
    (if type == "array" then [.[] | visit] elif type == "object" then .[] |= visit end) | f;
  visit;

# --- many results
def recurse(f): def visit: ., (f | visit); visit;
def recurse: recurse(.[]?);
def recurse(f; condition): def visit: ., (f | select(condition) | visit); visit;
def while(condition; update): def next: if condition then ., (update | next) else empty end; next;
def until(condition; update): def next: if condition then . else update | next end; next;
def repeat(f): def next: f, next; next;
def range($end): _range(0; $end; 1);
def range($start; $end): _range($start; $end; 1);
def range($start; $end; $step): _range($start; $end; $step);
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; g):
  if $n < 0 then error("nth doesn't support negative index") else first(skip($n; g)) end;
def limit($n; g):
  if $n < 0 then error("limit doesn't support negative count")
  elif $n == 0 then empty
  else
    label $done
    | foreach g as $item ($n; . - 1; $item, if . <= 0 then break $done else empty end)
  end;
def skip($n; g):
  if $n < 0 then error("skip doesn't support negative count")
  elif $n == 0 then g
  else foreach g as $item ($n; . - 1; if . < 0 then $item else empty end)
  end;
def any(g; f): isempty(g | select(f)) | not;
def any(f): any(.[]; f);
def any: any(.[]; .);
def all(g; f): isempty(g | select(f | not));
def all(f): all(.[]; f);
def all: all(.[]; .);

# --- paths
def del(f): delpaths([path(f)]);
def paths: path(..) | select(. != []);
def paths(f): path(.. | select(f)) | select(. != []);
def pick(f): . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));

# --- streams
def tostream:
  path(def visit: (.[]? | visit), .; visit) as $path
  | getpath($path)
  | reduce path(.[]?) as $last ([$path, .]; [$path + $last]);
def fromstream(f):
  foreach f as $event (null;
    if .done then null end
    | $event as [$path, $leaf]
    | if $event | length == 2
      then setpath(["value"] + $path; $leaf) | setpath(["done"]; $path | length == 0)
      else setpath(["done"]; $path | length == 1) end;
    if .done then .value else empty end);
def truncate_stream(f):
  . as $depth | null | f | if (.[0] | length) > $depth then .[0] |= .[$depth:] else empty end;

# --- dates
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%S%z") | mktime;
def todate: todateiso8601;
def fromdate: fromdateiso8601;

# --- regular expressions
def match($re; $flags): _match($re; $flags; false)[];
def match($re): match($re; null);
def test($re; $flags): _match($re; $flags; true);
def test($re): test($re; null);
def capture($re; $flags): match($re; $flags) | .captures | _captures;
def capture($re): capture($re; null);
def scan($re; $flags):
  match($re; $flags + "g") | if .captures == [] then .string else [.captures[].string] end;
def scan($re): scan($re; null);
def splits($re; $flags):
  .[foreach (match($re; $flags + "g"), null) as {$offset, $length}
    (null; {start: .next, end: $offset, next: ($offset + $length)})];
def splits($re): splits($re; null);
def split($re; $flags): [splits($re; $flags)];
def sub($re; text; $flags):
  . as $whole
  | reduce match($re; $flags) as $match ({parts: [], next: 0};
      . as $state
      | reduce ($match.captures | _captures | text) as $new ({i: 0, parts};
          .parts[.i] += $whole[$state.next:$match.offset] + $new | .i += 1)
      | {parts, next: ($match.offset + $match.length)})
  | if .parts == [] then $whole else .next as $next | .parts[] + $whole[$next:] end;
def sub($re; text): sub($re; text; null);
def gsub($re; text; $flags): sub($re; text; $flags + "g");
def gsub($re; text): sub($re; text; "g");

# --- tables
def INDEX(rows; key): reduce rows as $row ({}; .[$row | key | tostring] = $row);
def INDEX(key): INDEX(.[]; key);
def JOIN($index; key): [.[] | [., $index[key]]];
def JOIN($index; rows; key): rows | [., $index[key]];
def JOIN($index; rows; key; join): rows | [., $index[key]] | join;
def IN(candidates): any(. == candidates; .);
def IN(rows; candidates): any(rows == candidates; .);
)jq";

}  // namespace kulisse::simulator::jq
