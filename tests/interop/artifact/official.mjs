// Operations of the official artifact client; the last line of the output is the result as JSON.
//
// usage: official.mjs serve      each line of input is an operation as a JSON list, each line of output that begins with
//                                `=` its result
//        official.mjs upload NAME ROOT FILE… | upload-file FILE | download NAME DIRECTORY | list | delete NAME
// Reads ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN, as an action does, and GITHUB_SERVER_URL (https://github.com).
// CLIENT=artifact-without-type takes the version that servers without the field mime_type understand (act).
import { argv, env, exit, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'

env.GITHUB_SERVER_URL ??= 'https://github.com'
const { DefaultArtifactClient } = await import(env.CLIENT ?? '@actions/artifact')
const client = new DefaultArtifactClient()

const operations = {
  upload: (name, root, ...files) =>
    client.uploadArtifact(name, files, root, env.LEVEL ? { compressionLevel: Number(env.LEVEL) } : {}),
  'upload-file': (file) => client.uploadArtifact('ignored', [file], '.', { skipArchive: true }),
  download: async (name, directory) => {
    const { artifact } = await client.getArtifact(name)
    return client.downloadArtifact(artifact.id, { path: directory, expectedHash: artifact.digest })
  },
  list: () => client.listArtifacts(),
  delete: (name) => client.deleteArtifact(name),
}

async function answer([operation, ...operands]) {
  try {
    return await operations[operation](...operands)
  } catch (error) {
    return { error: error.name, message: error.message }
  }
}

const words = argv.slice(2)
if (words[0] === 'serve') {
  for await (const line of createInterface({ input: stdin })) {
    stdout.write(`\n=${JSON.stringify(await answer(JSON.parse(line)))}\n`)
  }
} else if (Object.hasOwn(operations, words[0] ?? '')) {
  const result = await answer(words)
  stdout.write(`${JSON.stringify(result)}\n`)
  exit('error' in result ? 1 : 0)
} else {
  console.error(`official.mjs: expected serve, ${Object.keys(operations).join(', ')}, found ${words[0]}`)
  exit(2)
}
