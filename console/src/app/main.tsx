import './styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app'
import { newQueryClient } from './query-client'
import { newRouter } from './router'

const host = document.getElementById('root')
if (!host) throw new Error('index.html has no #root')

const queries = newQueryClient()
createRoot(host).render(
  <StrictMode>
    <App queries={queries} router={newRouter(queries)} />
  </StrictMode>,
)
