/** The shells that a script can be had for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/*
 * Each script hands the words of the line to `gypsum __complete --` and gets what the last one can become, a line each;
 * `:files` alone means that the shell shall complete names of files.
 */

// bash takes ":" and "=" for ends of words (COMP_WORDBREAKS): the pieces are put together for us, and what bash keeps of
// the last word is taken off the answers. bash 3.2, which macOS has, knows neither mapfile nor compopt.
const bash = `# bash completion for gypsum:  source <(gypsum completion bash)
_gypsum() {
  local IFS=$'\\n' word piece joined=0 candidate
  local -a words=()
  for piece in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ \${#words[@]} -gt 0 && ( $joined == 1 || $piece == [:=] || $piece == :[:=] ) ]]; then
      words[\${#words[@]}-1]+=$piece
    else
      words+=("$piece")
    fi
    if [[ $piece == [:=] ]]; then joined=1; else joined=0; fi
  done
  word=
  if [[ \${#words[@]} -gt 0 ]]; then word=\${words[\${#words[@]}-1]}; fi
  local quote=
  if [[ $word == [\\"\\']* ]]; then quote=\${word:0:1}; fi
  local -a plain=()
  for piece in "\${words[@]}"; do
    piece=\${piece//\\\\/}
    piece=\${piece//\\"/}
    plain+=("\${piece//\\'/}")
  done
  word=
  if [[ \${#plain[@]} -gt 0 ]]; then word=\${plain[\${#plain[@]}-1]}; fi
  local kept=
  if [[ -z $quote && $word == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then kept=\${word%"\${word##*[:=]}"}; fi
  COMPREPLY=()
  while IFS= read -r candidate; do
    if [[ $candidate == :files ]]; then
      COMPREPLY=($(compgen -f -- "\${word#"$kept"}"))
      compopt -o filenames 2>/dev/null
      return
    fi
    candidate=\${candidate#"$kept"}
    if [[ -z $quote ]]; then printf -v candidate %q "$candidate"; fi
    COMPREPLY+=("$candidate")
  done < <(command gypsum __complete -- "\${plain[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _gypsum gypsum
`;

const zsh = `#compdef gypsum
# zsh completion for gypsum:  source <(gypsum completion zsh)
_gypsum() {
  local -a candidates
  candidates=("\${(@f)$(command gypsum __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("\${(@)candidates:#}")
  if [[ \${candidates[1]} == ':files' ]]; then
    _files
    return
  fi
  compadd -S '' -- "\${(@M)candidates:#*/}"
  compadd -- "\${(@)candidates:#*/}"
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then
  _gypsum "$@"
else
  compdef _gypsum gypsum
fi
`;

const fish = `# fish completion for gypsum:  gypsum completion fish | source
function __gypsum_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l unfinished (string unescape -- (commandline -ct); or commandline -ct)
    set -l candidates (command gypsum __complete -- $words "$unfinished" 2>/dev/null)
    if test "$candidates[1]" = ':files'
        __fish_complete_path "$unfinished"
        return
    end
    printf '%s\\n' $candidates
end
complete -c gypsum -f -a '(__gypsum_complete)'
`;

/** What each shell reads, from standard input or a file. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
