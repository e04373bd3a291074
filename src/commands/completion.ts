import { UsageError } from "../base/errors.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** `meshctl completion SHELL`: a script that asks `meshctl __complete` for what can stand at the cursor. */
export function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const shell = input.args[0] ?? "";
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new UsageError(`unknown shell "${shell}"`, `Choose one of ${Object.keys(SCRIPTS).join(", ")}.`);
  io.out(script);
  return Promise.resolve({ exitCode: 0 });
}

/** bash splits words at = and : too; they are put together again by the line, and what bash keeps is cut off the answers. */
const BASH = `# Completion of meshctl for bash. Written by meshctl completion bash.
_meshctl() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() word rest index
  rest=$line
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $rest == [[:space:]]* || index -eq 0 ]]; then
      rest=\${rest#"\${rest%%[![:space:]]*}"}
      words+=("")
    fi
    ((index == COMP_CWORD)) && word=$rest
    words[\${#words[@]} - 1]+=$word
    rest=\${rest#"$word"}
  done
  local current=\${words[\${#words[@]} - 1]} bits=4 value kept
  local -a found=()
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    case $value in
      :[0-9]*) bits=\${value#:} ;;
      *) found+=("$value") ;;
    esac
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  if ((!(bits & 4) && \${#found[@]} == 0)); then
    compopt -o filenames 2>/dev/null
    local kind=-f
    ((bits & 16)) && kind=-d
    mapfile -t COMPREPLY < <(compgen "$kind" -- "\${COMP_WORDS[COMP_CWORD]}")
    return
  fi
  kept=$current
  while [[ -n $kept && \${COMP_WORDBREAKS//[^=:]/} != *"\${kept: -1}"* ]]; do kept=\${kept%?}; done
  [[ $kept == *[=:] ]] || kept=
  for value in "\${found[@]}"; do
    value=\${value#"$kept"}
    [[ $value == *[[:space:]]* && $current != [\\'\\"]* ]] && printf -v value %q "$value"
    COMPREPLY+=("$value")
  done
  ((bits & 2)) && compopt -o nospace 2>/dev/null
}
complete -F _meshctl meshctl
`;

const ZSH = `#compdef meshctl
# Completion of meshctl for zsh. Written by meshctl completion zsh.
_meshctl() {
  local -a found described space
  local bits=4 line
  found=("\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in $found; do
    if [[ $line == :<-> ]]; then
      bits=\${line#:}
    elif [[ $line == *$'\\t'* ]]; then
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      described+=("\${line//:/\\\\:}")
    fi
  done
  (( bits & 2 )) && space=(-S '')
  if (( $#described )); then
    _describe -V value described "\${space[@]}"
  elif (( bits & 16 )); then
    _files -/
  elif (( !(bits & 4) )); then
    _files
  fi
}
if [[ $funcstack[1] == _meshctl ]]; then
  _meshctl "$@"
else
  compdef _meshctl meshctl
fi
`;

const FISH = `# Completion of meshctl for fish. Written by meshctl completion fish.
function __meshctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    set -l bits (string replace : '' -- $found[-1])
    set -e found[-1]
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else if test "$bits" = 16
        __fish_complete_directories "$current"
    else if test "$bits" = 0
        __fish_complete_path "$current"
    end
end
complete -c meshctl -f -k -a '(__meshctl_complete)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, fish: FISH, zsh: ZSH };
