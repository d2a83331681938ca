// From the resolver's options to the resolver.
import type { Logger } from '../../log.ts'
import type { ResolverOptions } from '../../options.ts'
import type { TlsOptions } from '../../tls/options.ts'
import { DirectoryResolver } from './directory.ts'
import { MemoryResolver, reportPreloads } from './memory.ts'
import type { Resolver } from './resolver.ts'
import { UrlResolver } from './url.ts'

/** Opens it and brings the preloaded tokens in. @throws ServerError when its folder or its URL cannot be used. */
export async function openResolver(
  options: ResolverOptions,
  preload: ReadonlyMap<string, string>,
  tls: TlsOptions | null,
  log: Logger,
): Promise<Resolver> {
  if (options.type === 'memory') {
    reportPreloads(preload, log)
    return new MemoryResolver(preload)
  }
  if (options.type === 'url') {
    const resolver = new UrlResolver(options.url, options.timeoutMs, tls)
    await resolver.check()
    return resolver
  }
  const cache = options.type === 'cache'
  const resolver = new DirectoryResolver(options.dir, {
    limit: options.limit,
    evict: cache,
    ttlMs: cache ? options.ttlMs : 0,
    hardDelete: options.hardDelete,
  })
  for (const [account, token] of preload) await resolver.merge(account, token)
  log.info(`Managing ${cache ? 'some' : 'all'} jwt in exclusive directory ${options.dir}`)
  return resolver
}
