// SPDX-License-Identifier: Apache-2.0
// Names of process_names.h. The rules are heuristics over what common servers look like;
// the environment variable OTEL_SERVICE_NAME overrules all of them.
#include "probe/process_names.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "probe/process_package.h"

namespace sonde::probe::names {
namespace {

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

std::string without(std::string name, std::initializer_list<std::string_view> endings) {
  for (const std::string_view ending : endings) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      return name;
    }
  }
  return name;
}

std::string directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string absolute(std::string_view path, const std::string& cwd) {
  return path.starts_with('/') ? std::string(path) : cwd + "/" + std::string(path);
}

// `shop.app:create()` and `shop.app` name `shop.app`.
std::string module_name(std::string_view target) {
  std::string name(target.substr(0, target.find(':')));
  name = without(base_name(name), {".py"});
  for (const std::string_view common : {".wsgi", ".asgi", ".app", ".main", ".__main__"}) {
    name = without(name, {common});
  }
  return name;
}

// The application that a Python server program is told to run.
std::string application_of(const std::vector<std::string>& arguments, size_t from) {
  for (size_t i = from; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "--app" || a == "-A")
      return i + 1 < arguments.size() ? module_name(arguments[i + 1]) : "";
    if (a.starts_with("--app=")) return module_name(a.substr(6));
  }
  for (size_t i = from; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a.empty() || a.front() == '-' || a.find('/') != std::string::npos) continue;
    const size_t colon = a.find(':');
    // An address has digits after its colon.
    if (colon != std::string::npos && colon != 0 && colon + 1 < a.size() &&
        is_letter(a[colon + 1])) {
      return module_name(a);
    }
  }
  return {};
}

std::string python_name(const std::vector<std::string>& arguments, const std::string& cwd) {
  constexpr std::array<std::string_view, 6> kServers = {"gunicorn", "uvicorn",        "hypercorn",
                                                        "flask",    "waitress-serve", "celery"};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    std::string program = base_name(a);
    const bool is_server = std::find(kServers.begin(), kServers.end(), program) != kServers.end();
    if (i == 0 && !is_server) continue;
    if (a == "-m" && i + 1 < arguments.size()) {
      const std::string& module = arguments[i + 1];
      std::string application = application_of(arguments, i + 2);
      return application.empty() ? module : application;
    }
    if (a == "-c") return {};
    if (a == "-W" || a == "-X") {
      ++i;
      continue;
    }
    if (!a.empty() && a.front() == '-') continue;
    if (is_server) {
      std::string application = application_of(arguments, i + 1);
      return application.empty() ? program : application;
    }
    program = without(program, {".py", ".pyc"});
    // These files say nothing; the folder does.
    if (program == "manage" || program == "__main__" || program == "wsgi" || program == "asgi") {
      const std::string folder = base_name(directory_of(absolute(a, cwd)));
      if (!folder.empty()) return folder;
    }
    return program;
  }
  return {};
}

std::string node_name(const std::vector<std::string>& arguments, const std::string& cwd,
                      const std::string& root) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "-r" || a == "--require" || a == "--import" || a == "--loader") {
      ++i;
      continue;
    }
    if (a == "-e" || a == "--eval" || a == "-p") return {};
    if (a.empty() || a.front() == '-' || a == "run") continue;
    const std::string script = absolute(a, cwd);
    std::string package = package_name(directory_of(script), root);
    if (!package.empty()) return package;
    std::string name = without(base_name(a), {".js", ".mjs", ".cjs", ".ts"});
    if (name == "index" || name == "server" || name == "main" || name == "app") {
      const std::string folder = base_name(directory_of(script));
      if (!folder.empty()) return folder;
    }
    return name;
  }
  return {};
}

std::string java_name(const std::vector<std::string>& arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "-jar" && i + 1 < arguments.size()) {
      std::string name = without(base_name(arguments[i + 1]), {".jar", ".war"});
      // shop-1.2.3-SNAPSHOT is shop.
      for (size_t dash = name.find('-'); dash != std::string::npos;
           dash = name.find('-', dash + 1)) {
        if (dash + 1 < name.size() && is_digit(name[dash + 1])) {
          name.resize(dash);
          break;
        }
      }
      return name;
    }
    if (a == "-cp" || a == "-classpath" || a == "--class-path" || a == "-p" ||
        a == "--module-path" || a == "--add-modules" || a == "--add-opens" ||
        a == "--add-exports") {
      ++i;
      continue;
    }
    if (a == "-m" || a == "--module") continue;
    if (a.empty() || a.front() == '-' || a.front() == '@') continue;
    if (a.ends_with(".java")) return without(base_name(a), {".java"});
    const size_t dot = a.find_last_of("./");
    return dot == std::string::npos ? a : a.substr(dot + 1);
  }
  return {};
}

std::string php_name(const std::vector<std::string>& arguments, const std::string& cwd) {
  std::string folder;
  bool server = false;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "-S" || a == "-t" || a == "-d" || a == "-c") {
      server = server || a == "-S";
      if (a == "-t" && i + 1 < arguments.size()) folder = arguments[i + 1];
      ++i;
      continue;
    }
    if (a == "-r") return {};
    if (a.empty() || a.front() == '-') continue;
    std::string name = without(base_name(a), {".php", ".phar"});
    if (name == "index" || name == "router" || name == "artisan" || name == "console") {
      const std::string above = base_name(directory_of(absolute(a, cwd)));
      if (!above.empty() && above != "public" && above != "bin") return above;
      const std::string top = base_name(directory_of(directory_of(absolute(a, cwd))));
      if (!top.empty()) return top;
    }
    return name;
  }
  if (!server) return {};
  folder = folder.empty() ? cwd : absolute(folder, cwd);
  while (folder.ends_with('/')) folder.pop_back();
  if (base_name(folder) == "public") folder = directory_of(folder);
  return base_name(folder);
}

std::string script_name(const std::vector<std::string>& arguments) {
  // "starman worker --workers 2 shop.psgi": a title that was written over all arguments.
  if (std::all_of(arguments.begin() + 1, arguments.end(),
                  [](const auto& a) { return a.empty(); })) {
    return base_name(arguments[0].substr(0, arguments[0].find_first_of(" :")));
  }
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "-e") return {};
    if (a == "-I" || a == "-r" || a == "-M") {
      ++i;
      continue;
    }
    if (a.empty() || a.front() == '-') continue;
    const std::string name = base_name(a);
    if (name == "bundle" || name == "exec") continue;
    return without(name, {".rb", ".ru", ".pl", ".psgi", ".exs", ".ex", ".lua"});
  }
  return {};
}

std::string ruby_name(const std::vector<std::string>& arguments) {
  // puma writes its title over its arguments: "puma 5.6.5 (tcp://0.0.0.0:80) [shop]".
  if (!arguments.empty() && arguments[0].starts_with("puma")) {
    const size_t open = arguments[0].rfind('[');
    const size_t close = arguments[0].rfind(']');
    if (open != std::string::npos && close != std::string::npos && close > open) {
      return arguments[0].substr(open + 1, close - open - 1);
    }
  }
  return script_name(arguments);
}

// `-eval 'shop:start().'` and `-s shop start` name `shop`.
std::string erlang_name(const std::vector<std::string>& arguments) {
  for (size_t i = 1; i + 1 < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "-s" || a == "-run" || a == "-eval" || a == "-sname" || a == "-name") {
      const std::string& value = arguments[i + 1];
      const size_t end = value.find_first_of(":@( .");
      const std::string name = value.substr(0, end);
      if (!name.empty() && name != "elixir" && name != "application") return name;
    }
  }
  return {};
}

// nginx writes its command into one title, "nginx: master process nginx -c /etc/shop.conf". A file
// of another name than nginx.conf tells two of them on one host apart.
std::string nginx_name(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += argument + ' ';
  const size_t option = line.find(" -c ");
  if (option == std::string::npos) return {};
  const std::string file = line.substr(option + 4, line.find(' ', option + 4) - option - 4);
  const std::string name = without(base_name(file), {".conf"});
  return name == "nginx" ? std::string{} : name;
}

}  // namespace

std::string from_command(std::string_view language, const std::vector<std::string>& arguments,
                         const std::string& cwd, const std::string& root) {
  if (arguments.empty()) return {};
  if (language == "python") return python_name(arguments, cwd);
  if (language == "nodejs") return node_name(arguments, cwd, root);
  if (language == "java") return java_name(arguments);
  if (language == "php") return php_name(arguments, cwd);
  if (language == "ruby") return ruby_name(arguments);
  if (language == "nginx") return nginx_name(arguments);
  if (language == "perl") return script_name(arguments);
  if (language == "erlang") return erlang_name(arguments);
  if (language == "dotnet") {
    for (const std::string& a : arguments) {
      if (ends_with_any(a, {".dll", ".exe"})) return without(base_name(a), {".dll", ".exe"});
    }
  }
  return {};
}

}  // namespace sonde::probe::names
